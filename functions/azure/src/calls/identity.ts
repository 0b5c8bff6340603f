import { tokenRefusals } from '@serin/api/foreign-tokens';
import { Problem } from '@serin/api/problem';
import { createRemoteJWKSet, jwtVerify } from 'jose';

interface Options {
  /** The tenant of Entra in which the application of this installation is. */
  readonly tenant: string;
  /** How tokens name our application: by its id, and by its URI. */
  readonly audiences: readonly string[];
  /**
   * Ids of the applications that may call. Those of Microsoft are the same in all tenants: 461e8683-5575-4561-ac7f-899cc907d62a
   * is Azure Monitor's, 4962773b-9cdb-44cf-a8bf-237846a00ab7 is Event Grid's.
   *
   * https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups#secure-webhook-powershell-script,
   * https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery
   */
  readonly callers: readonly string[];
  /** `AZURE_AUTHORITY_HOST` */
  readonly authority?: string | undefined;
}

/** Throws unless one of the callers sent these headers; `unavailable`: nobody can tell. */
export type Callers = (headers: Pick<Headers, 'get'>) => Promise<void>;

const { bearerIn, refused } = tokenRefusals({
  token: 'a token of Microsoft Entra for the application of this installation',
  keys: 'the keys of Microsoft Entra',
});

/** Clocks differ, and a token is used in the second in which it begins to count. */
const toleranceSeconds = 60;

/**
 * Azure Monitor and Event Grid call a secure webhook with a token that Entra made for their application and for ours.
 * The form of the token is that which our application asks for: 1 by default, or 2.
 *
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
 */
export function webhookCallers({ tenant, audiences, callers, authority }: Options): Callers {
  const host = (authority || 'https://login.microsoftonline.com').replace(/\/$/, '');
  const keys = createRemoteJWKSet(new URL(`${host}/${tenant}/discovery/v2.0/keys`));
  const claims = {
    issuer: [`https://sts.windows.net/${tenant}/`, `${host}/${tenant}/v2.0`],
    audience: [...audiences],
    requiredClaims: ['exp', 'tid'],
    algorithms: ['RS256'],
    clockTolerance: toleranceSeconds,
  };
  return async (headers) => {
    const token = bearerIn(headers.get('authorization'));
    const { payload } = await jwtVerify(token, keys, claims).catch((error: unknown) => {
      throw refused(error);
    });
    const { tid, ver, appid, azp } = payload;
    const caller = ver === '2.0' ? azp : appid;
    if (tid !== tenant || typeof caller !== 'string' || !callers.includes(caller))
      throw new Problem('forbidden', 'this application may not call the webhook; name its id in SERIN_ALARM_CALLERS');
  };
}
