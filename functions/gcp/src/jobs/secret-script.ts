import { Fault } from '@serin/core/base/fault';
import type { Variables } from '@serin/core/base/variables';
import { quoted } from '@serin/platform/jobs/command';

interface Place {
  readonly googleProject: string;
  readonly secretsPrefix: string;
}

interface Program {
  /** What has the variables, for the text of an error. */
  readonly of: string;
  readonly environment: Variables;
}

/**
 * Lines of a script that export the variables of a program whose text is a secret. The container itself asks for each
 * text, as its service account, so none stands in a request, in a script or in what Vertex AI shows of it. The image needs
 * `python3`, `node`, or `curl` with `sed` and `base64`. As on every platform, a line break at the end of the stored text
 * is left out (`secretText`).
 */
export function secretLines({ of, environment }: Program, { googleProject, secretsPrefix }: Place): readonly string[] {
  const named = Object.entries(environment).flatMap(([variable, value]) =>
    typeof value === 'string' ? [] : [[variable, value.secret] as const],
  );
  const odd = named.find(([variable]) => !/^[a-zA-Z_]\w*$/.test(variable));
  if (odd !== undefined)
    throw new Fault('invalid', `${of} has a secret variable ${odd[0]}; name it by letters, digits and _`);
  const exports = named.map(
    ([variable, name]) =>
      `take ${variable} ${quoted(name)} ${quoted(`projects/${googleProject}/secrets/${secretsPrefix}${name}`)}`,
  );
  return named.length === 0 ? [] : [...reader, ...exports];
}

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

const reader = [
  'with_curl() {',
  `  bearer=$(curl -sSf -m 20 -H 'Metadata-Flavor: Google' "$1" | sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')`,
  '  [ -n "$bearer" ] || return 1',
  '  packed=$(printf \'header = "Authorization: Bearer %s"\' "$bearer" | curl -sSf -m 20 -K - "$2") || return 1',
  `  printf %s "$packed" | tr -d '\\n' | sed -n 's/.*"data" *: *"\\([^"]*\\)".*/\\1/p' | base64 -d`,
  '}',
  'secret() {',
  `  if command -v python3 > /dev/null; then set -- "$1" "$2" python3 -c ${quoted(inPython)}`,
  `  elif command -v node > /dev/null; then set -- "$1" "$2" node --input-type=module -e ${quoted(inNode)}`,
  '  elif command -v curl > /dev/null; then set -- "$1" "$2" with_curl',
  '  else',
  '    echo "the secret $1 cannot be read: the image has no python3, node or curl; add one of them" >&2',
  '    return 1',
  '  fi',
  '  of=$1',
  `  url="\${CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER:-https://secretmanager.googleapis.com}/v1/$2/versions/latest:access"`,
  '  shift 2',
  `  token="http://\${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/instance/service-accounts/default/token"`,
  '  for pause in 1 4 10 0; do',
  '    "$@" "$token" "$url" && return 0',
  '    sleep "$pause"',
  '  done',
  '  echo "the secret $of cannot be read; let the service account of the container access it (roles/secretmanager.secretAccessor)" >&2',
  '  return 1',
  '}',
  // Of what a command prints, the shell drops all line breaks at the end, and no carriage return.
  'take() {',
  '  serin_text=$(secret "$2" "$3" && echo .) || exit 1',
  `  serin_text=\${serin_text%.} serin_break=$(printf '\\r\\n.')`,
  '  case $serin_text in',
  `    *"\${serin_break%.}") serin_text=\${serin_text%"\${serin_break%.}"} ;;`,
  "    *'",
  `') serin_text=\${serin_text%?} ;;`,
  '  esac',
  '  export "$1=$serin_text"',
  '  unset serin_text serin_break',
  '}',
];
