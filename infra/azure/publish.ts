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
  /** Between two looks at one deployment, and how many there are. */
  readonly lookMs: number;
  readonly looks: number;
}

// A new app has no name in DNS for a while, and the role of its identity on the code counts after some minutes.
// https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
const usual: Patience = { pauseMs: 15_000, times: 40, lookMs: 2000, looks: 300 };

/**
 * Gives an app on Flex Consumption its code, by One Deploy, which is the only way that it knows, and looks until the app
 * has it: the site says only that it will try. Twice is harmless.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
 */
export async function publish(sent: Package, patience: Patience = usual): Promise<void> {
  let said = '';
  for (let tried = 0; tried < patience.times; tried += 1) {
    if (tried > 0) await pause(patience.pauseMs);
    const answer = await post(sent);
    if (answer instanceof Error) said = String(answer.cause ?? answer);
    else if (answer.ok) {
      const fault = answer.status === 202 ? await faultOf(answer, sent, patience) : undefined;
      if (fault === undefined) return;
      said = fault;
    } else {
      said = `HTTP ${answer.status} ${(await answer.text()).slice(0, 300)}`.trim();
      if (!passes.includes(answer.status)) break;
    }
  }
  throw notTaken(sent, said);
}

const notTaken = ({ site }: Package, said: string): Error =>
  new Error(
    `${site} does not take its code: ${said}: deploy again, or look at the deployments of the app in the portal`,
  );

const passes: readonly number[] = [401, 403, 404, 409, 429, 500, 502, 503, 504];

const post = ({ site, zip, token }: Package): Promise<Response | Error> =>
  fetch(`${site}/api/publish?RemoteBuild=false`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/zip' },
    body: new Uint8Array(zip),
  }).catch((error: Error) => error);

/** As its own clients read it: https://github.com/Azure/azure-dev/blob/main/cli/azd/pkg/azsdk/funcapp_host_client.go */
const succeeded = 4;
const faults: Readonly<Record<number, string>> = {
  [-1]: 'cancelled',
  3: 'failed',
  5: 'another deployment is under way',
  6: 'done in part',
};

/** What went wrong with a deployment that the site has begun; nothing where the app has its code. */
async function faultOf(answer: Response, sent: Package, { lookMs, looks }: Patience): Promise<string | undefined> {
  const id = (await answer.text()).trim().replaceAll('"', '');
  let wasThere = false;
  for (let looked = 0; looked < looks; looked += 1) {
    await pause(lookMs);
    const found = await look(sent, id);
    // What has done the work is taken away after it, and with it what it knows.
    if (found?.status === 404 && wasThere) return undefined;
    if (found?.ok !== true) continue;
    wasThere = true;
    const { status = 0, status_text = '' } = (await found.json()) as { status?: number; status_text?: string };
    if (status === succeeded) return undefined;
    const fault = faults[status];
    if (fault !== undefined) return `${fault} ${status_text}`.trim();
  }
  throw notTaken(sent, `its deployment ${id} has not ended`);
}

const look = ({ site, token }: Package, id: string): Promise<Response | undefined> =>
  fetch(`${site}/api/deployments/${encodeURIComponent(id)}`, { headers: { authorization: `Bearer ${token}` } }).catch(
    () => undefined,
  );
