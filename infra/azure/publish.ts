import { setTimeout as pause } from 'node:timers/promises';

interface Package {
  /** Where the app takes its code: `https://<app>.scm.azurewebsites.net`. */
  readonly site: string;
  readonly zip: Uint8Array;
  /** For `https://management.azure.com/`. */
  readonly token: string;
}

export interface Patience {
  readonly pauseMs: number;
  readonly times: number;
}

// A new app has no name in DNS for a while, and the role of its identity on the code counts after some minutes.
// https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
const usual: Patience = { pauseMs: 15_000, times: 40 };

/**
 * Gives an app on Flex Consumption its code, by One Deploy, which is the only way that it knows. Twice is harmless.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
 */
export async function publish({ site, zip, token }: Package, { pauseMs, times }: Patience = usual): Promise<void> {
  let said = '';
  for (let tried = 0; tried < times; tried += 1) {
    if (tried > 0) await pause(pauseMs);
    const answer = await fetch(`${site}/api/publish?type=zip&RemoteBuild=false`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
      body: new Uint8Array(zip),
    }).catch((error: Error) => error);
    if (answer instanceof Error) said = String(answer.cause ?? answer);
    else if (answer.ok) return;
    else said = `HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`.trim();
    if (!(answer instanceof Error) && !passes.includes(answer.status)) break;
  }
  throw new Error(
    `${site} does not take its code: ${said}: deploy again, or look at the deployments of the app in the portal`,
  );
}

const passes: readonly number[] = [401, 403, 404, 409, 429, 500, 502, 503, 504];
