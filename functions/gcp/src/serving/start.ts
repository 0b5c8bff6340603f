import type { Place } from '@serin/platform/jobs/artifacts';
import { shellWords } from '@serin/platform/jobs/command';

/** An object of Cloud Storage that a container needs, in the version that was judged. */
export interface Needed extends Place {
  /** Below the folder that it is brought to. */
  readonly path: string;
  readonly generation: string;
  readonly bytes: number;
  /** It is the archive of all that is needed, and its files are brought to that folder. */
  readonly isPacked: boolean;
}

export interface Start {
  readonly model: readonly Needed[];
  readonly code?: Needed;
  readonly command: readonly string[];
  /** Lines that export the variables whose text is a secret. */
  readonly secrets: readonly string[];
}

/** Where programs expect a model, if the user of the image may write there. */
const root = '/opt/ml';

/**
 * The script that a serving container runs: it brings the model and the code, and becomes the command of the user.
 *
 * Vertex AI mounts no bucket into a container that serves, and copies no code. The image needs `sh`, one of curl, python3
 * and Node.js (18 or later), and for an archive `tar` with `gzip` or python3. An object is asked for by its generation,
 * whose bytes never change, and its length is compared: that is what the digest of an artifact is made of. The texts of
 * secrets are fetched here, so that no description of a model has them.
 */
export function startScript({ model, code, command, secrets }: Start, from = root): string {
  return [
    'set -eu',
    functions,
    `root=${from}`,
    `{ mkdir -p "$root/model" "$root/code" && [ -w "$root/model" ]; } 2>/dev/null || root="\${TMPDIR:-/tmp}/serin"`,
    'mkdir -p "$root/model" "$root/code"',
    ...model.flatMap((object) => brought(object, '$root/model')),
    ...(code === undefined ? [] : brought(code, '$root/code')),
    ...secrets,
    'export SM_MODEL_DIR="$root/model" SERIN_CODE_DIR="$root/code" AIP_STORAGE_URI="file://$root/model"',
    'cd "$root/code"',
    `exec ${shellWords(command)}`,
  ].join('\n');
}

function brought({ bucket, key, path, generation, bytes, isPacked }: Needed, folder: string): readonly string[] {
  const url = `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(key)}?alt=media&generation=${generation}`;
  const file = `"${folder}/"${shellWords([path])}`;
  return [`bring ${shellWords([url])} ${file} ${bytes}`, ...(isPacked ? [`unpack ${file} "${folder}"`] : [])];
}

// The variables name other hosts in tests, as they do for the functions.
const functions = `
storage="\${CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE:-https://storage.googleapis.com}"
tokens="http://\${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/instance/service-accounts/default/token"
has() { command -v "$1" >/dev/null 2>&1; }
fail() { echo "serin: $*" >&2; exit 1; }
get() {
  if has curl; then
    token="$(curl -sSf -m 20 -H 'Metadata-Flavor: Google' "$tokens" | sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')"
    curl -sSf --connect-timeout 20 --speed-time 60 -H "Authorization: Bearer $token" -o "$2" "$1"
  elif has python3; then
    python3 -c '
import json, shutil, sys, urllib.request
def ask(url, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=60)
tokens, url, path = sys.argv[1:]
token = json.load(ask(tokens, Metadata_Flavor="Google"))["access_token"]
with ask(url, Authorization="Bearer " + token) as answer, open(path, "wb") as file:
    shutil.copyfileobj(answer, file)
' "$tokens" "$1" "$2"
  else
    node -e '
const { createWriteStream } = require("node:fs"), { Readable } = require("node:stream"), { pipeline } = require("node:stream/promises");
const [tokens, url, path] = process.argv.slice(1);
const ask = async (url, headers) => {
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error("HTTP " + answer.status + " " + (await answer.text()).slice(0, 300));
  return answer;
};
(async () => {
  const { access_token } = await (await ask(tokens, { "metadata-flavor": "Google" })).json();
  const { body } = await ask(url, { authorization: "Bearer " + access_token });
  await pipeline(Readable.fromWeb(body), createWriteStream(path));
})().catch((error) => { console.error(error.message); process.exit(1); });
' "$tokens" "$1" "$2"
  fi
}
has curl || has python3 || has node ||
  fail 'the image has none of curl, python3 and node, and cannot download its model; add one of them to serve.image'
ask() {
  tries=1
  until why="$(get "$1" "$2" 2>&1)"; do
    [ "$tries" -lt 5 ] || fail "cannot download $1; look whether it was deleted, and give the service account of models the permission to read it: $why"
    tries=$((tries + 1))
    sleep "\${SERIN_PAUSE:-3}"
  done
}
bring() {
  mkdir -p "\${2%/*}"
  [ "$3" = 0 ] && { : >"$2"; return; }
  ask "$storage$1" "$2"
  length="$(($(wc -c <"$2")))"
  [ "$length" = "$3" ] || fail "$1 came with $length bytes, not $3; deploy the model again"
}
unpack() {
  if has tar && has gzip; then tar -xzf "$1" -C "$2"
  elif has python3; then python3 -m tarfile -e "$1" "$2"
  else fail "the image cannot unpack $1; add tar and gzip, or python3, to serve.image"
  fi
  rm -f "$1"
}
`.trim();
