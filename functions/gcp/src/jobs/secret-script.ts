import { type SecretReader, secretLinesBy } from '@serin/platform/jobs/secret-script';

interface Place {
  readonly googleProject: string;
  readonly secretsPrefix: string;
}

/** Lines that export secrets out of Secret Manager. The image needs `python3`, `node`, or `curl` with `sed` and `base64`. */
export const secretLines = (
  program: Parameters<typeof secretLinesBy>[1],
  { googleProject, secretsPrefix }: Place,
): readonly string[] =>
  secretLinesBy({ ...reader, placeOf: (name) => `projects/${googleProject}/secrets/${secretsPrefix}${name}` }, program);

// https://docs.cloud.google.com/secret-manager/docs/access-secret-version
const inPython = `import base64, json, sys, urllib.request as web
def get(url, **headers): return json.load(web.urlopen(web.Request(url, headers=headers), timeout=20))
token = get(sys.argv[1], **{'Metadata-Flavor': 'Google'})['access_token']
sys.stdout.buffer.write(base64.b64decode(get(sys.argv[2], Authorization='Bearer ' + token)['payload']['data']))`;

const inNode = `const [tokenUrl, url] = process.argv.slice(1);
const get = async (from, headers) => {
  const answer = await fetch(from, { headers });
  if (!answer.ok) throw new Error(from + ' answered ' + answer.status);
  return answer.json();
};
const { access_token: token } = await get(tokenUrl, { 'Metadata-Flavor': 'Google' });
const { payload } = await get(url, { authorization: 'Bearer ' + token });
process.stdout.write(Buffer.from(payload.data, 'base64'));`;

const reader: Omit<SecretReader, 'placeOf'> = {
  urls: [
    `url="\${CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER:-https://secretmanager.googleapis.com}/v1/$2/versions/latest:access"`,
    `token="http://\${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/instance/service-accounts/default/token"`,
  ],
  python: inPython,
  node: inNode,
  curl: [
    `bearer=$(curl -sSf -m 20 -H 'Metadata-Flavor: Google' "$1" | sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')`,
    '[ -n "$bearer" ] || return 1',
    'packed=$(printf \'header = "Authorization: Bearer %s"\' "$bearer" | curl -sSf -m 20 -K - "$2") || return 1',
    `printf %s "$packed" | tr -d '\\n' | sed -n 's/.*"data" *: *"\\([^"]*\\)".*/\\1/p' | base64 -d`,
  ],
  mend: 'let the service account of the container access it (roles/secretmanager.secretAccessor)',
};
