import { type SecretReader, secretLinesBy } from '@serin/platform/jobs/secret-script';

interface Place {
  readonly vault: string;
  readonly secretsPrefix: string;
  /** The client id of the identity that the container has. */
  readonly client: string;
}

/** Lines that export secrets out of Key Vault. The image needs `python3` or `node`. */
export const secretLines = (
  program: Parameters<typeof secretLinesBy>[1],
  { vault, secretsPrefix, client }: Place,
): readonly string[] =>
  secretLinesBy(
    {
      ...programs,
      placeOf: (name) => `https://${vault}.vault.azure.net/secrets/${secretsPrefix}${name}`,
      urls: [
        // As Microsoft's own client asks in Azure ML: @azure/msal-node, MachineLearning.ts
        `token="\${MSI_ENDPOINT-}?api-version=2017-09-01&clientid=${client}&resource=https://vault.azure.net"`,
        'url="$2?api-version=7.6"',
      ],
      mend: 'let the managed identity of the container read it (Key Vault Secrets User on the vault)',
    },
    program,
  );

// https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
const programs: Pick<SecretReader, 'python' | 'node'> = {
  python: `import json, os, sys, urllib.request as web
def get(url, **headers): return json.load(web.urlopen(web.Request(url, headers=headers), timeout=20))
token = get(sys.argv[1], Secret=os.environ['MSI_SECRET'], Metadata='true')['access_token']
sys.stdout.buffer.write(get(sys.argv[2], Authorization='Bearer ' + token)['value'].encode())`,
  node: `import { env } from 'node:process';
const [tokenUrl, url] = process.argv.slice(1);
const get = async (from, headers) => {
  const answer = await fetch(from, { headers });
  if (!answer.ok) throw new Error(from + ' answered ' + answer.status);
  return answer.json();
};
const { access_token: token } = await get(tokenUrl, { secret: env.MSI_SECRET, metadata: 'true' });
process.stdout.write((await get(url, { authorization: 'Bearer ' + token })).value);`,
};
