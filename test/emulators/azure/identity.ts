import type { IncomingMessage } from 'node:http';

/** What an access token is for, and whose it is. */
interface Given {
  readonly resource: string;
  /** The client id of the managed identity. */
  readonly client: string;
}

const withoutSlash = (resource: string): string => resource.replace(/\/$/, '');

/** Those of all endpoints: a server takes what another one gave, so a test may have several. */
const tokens = new Map<string, Given>();

/**
 * The identity endpoint of Azure Functions: tokens of a managed identity, each for one resource.
 *
 * https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
export function fakeIdentity(header: string) {
  let made = 0;

  return {
    answer({ headers }: IncomingMessage, query: URLSearchParams): { readonly status: number; readonly body: object } {
      const [resource, client] = [query.get('resource'), query.get('client_id')];
      const known = ['resource', 'client_id', 'api-version'];
      const refuse = (status: number, message: string) => ({ status, body: { statusCode: status, message } });
      if (headers['x-identity-header'] !== header) return refuse(401, 'the header X-IDENTITY-HEADER is not mine');
      if (query.get('api-version') !== '2019-08-01') return refuse(400, 'api-version must be 2019-08-01');
      for (const name of query.keys()) if (!known.includes(name)) return refuse(400, `no parameter ${name}`);
      // Without it the system-assigned identity is meant, which functions of ours do not have.
      if (resource === null || client === null) return refuse(400, 'resource and client_id must be there');
      made += 1;
      const token = `token-${tokens.size + 1}`;
      tokens.set(token, { resource: withoutSlash(resource), client });
      const until = Math.floor(Date.now() / 1000) + 86_400;
      return {
        status: 200,
        body: { access_token: token, client_id: client, expires_on: `${until}`, resource, token_type: 'Bearer' },
      };
    },
    /** Whose request it is; `problem` when its token was not given here, or is for another resource. */
    callerOf(authorization: string | undefined, resource: string): { client: string; problem?: string } {
      const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
      if (token === undefined) return { client: '', problem: 'no bearer token in authorization' };
      const given = tokens.get(token);
      if (given === undefined)
        return { client: '', problem: `the token ${token} was not given by the identity endpoint` };
      if (given.resource === withoutSlash(resource)) return { client: given.client };
      return { client: given.client, problem: `the token is for ${given.resource}, not for ${resource}` };
    },
    made: () => made,
  };
}
