import { Fault } from '@serin/core/base/fault';
import type { Bucket, ObjectInfo } from '@serin/core/ports/bucket';
import type { Deployment } from '@serin/core/ports/serving';
import type { Objects } from './jobs/artifacts.ts';
import { shellWords } from './jobs/command.ts';
import { checkArtifact } from './serving.ts';

/** A stored object that a serving container needs, in the version that was judged. */
export interface Needed {
  /** Where it is asked for, after the host of the store; the version is named here or in the headers. */
  readonly url: string;
  readonly headers?: readonly string[];
  /** Below the folder that it is brought to. */
  readonly path: string;
  readonly bytes: number;
  /** It is the archive of all that is needed, and its files are brought to that folder. */
  readonly isPacked: boolean;
}

export interface Start<File = Needed> {
  readonly model: readonly File[];
  readonly code?: File;
  readonly command: readonly string[];
  /** Lines that export the variables whose text is a secret. */
  readonly secrets: readonly string[];
}

/** What differs between stores. */
export interface Store {
  /**
   * Lines that set `storage`, the host, and `tokens` and `token_header`: where and with which header an access token is
   * asked for.
   */
  readonly setup: string;
  /** Who reads, for the text of an error. */
  readonly reader: string;
  /** The variable by which programs of this cloud find the folder of the model, as it is exported. */
  readonly modelVariable: string;
}

/** Where programs expect a model, if the user of the image may write there. */
const root = '/opt/ml';

/**
 * The script that a serving container runs: it brings the model and the code, and becomes the command of the user.
 *
 * The image needs `sh`, one of curl, python3 and Node.js (18 or later), and for an archive `tar` with `gzip` or python3. An
 * object is asked for in its version, whose bytes never change, and its length is compared: that is what the digest of an
 * artifact is made of. The texts of secrets are fetched here, so that no description of a model has them.
 */
export function startScript(
  { model, code, command, secrets }: Start,
  { setup, reader, modelVariable }: Store,
  from = root,
): string {
  return [
    'set -eu',
    setup,
    functions(reader),
    `root=${from}`,
    `{ mkdir -p "$root/model" "$root/code" && [ -w "$root/model" ]; } 2>/dev/null || root="\${TMPDIR:-/tmp}/serin"`,
    'mkdir -p "$root/model" "$root/code"',
    ...model.flatMap((file) => brought(file, '$root/model')),
    ...(code === undefined ? [] : brought(code, '$root/code')),
    ...secrets,
    `export SM_MODEL_DIR="$root/model" SERIN_CODE_DIR="$root/code" ${modelVariable}`,
    'cd "$root/code"',
    `exec ${shellWords(command)}`,
  ].join('\n');
}

function brought({ url, headers = [], path, bytes, isPacked }: Needed, folder: string): readonly string[] {
  const file = `"${folder}/"${shellWords([path])}`;
  return [
    `bring ${shellWords([url])} ${file} ${[bytes, ...headers.map((header) => shellWords([header]))].join(' ')}`,
    ...(isPacked ? [`unpack ${file} "${folder}"`] : []),
  ];
}

const functions = (reader: string): string =>
  `
has() { command -v "$1" >/dev/null 2>&1; }
fail() { echo "serin: $*" >&2; exit 1; }
get() {
  from="$1" to="$2"
  shift 2
  if has curl; then
    token="$(curl -sSf -m 20 -H "$token_header" "$tokens" | sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')"
    for header; do set -- "$@" -H "$header"; shift; done
    curl -sSf --connect-timeout 20 --speed-time 60 -H "Authorization: Bearer $token" "$@" -o "$to" "$from"
  elif has python3; then
    python3 -c '
import json, shutil, sys, urllib.request
def ask(url, *headers):
    named = dict(header.split(": ", 1) for header in headers)
    return urllib.request.urlopen(urllib.request.Request(url, headers=named), timeout=60)
tokens, token_header, url, path, *headers = sys.argv[1:]
token = json.load(ask(tokens, token_header))["access_token"]
with ask(url, "Authorization: Bearer " + token, *headers) as answer, open(path, "wb") as file:
    shutil.copyfileobj(answer, file)
' "$tokens" "$token_header" "$from" "$to" "$@"
  else
    node -e '
const { createWriteStream } = require("node:fs"), { Readable } = require("node:stream"), { pipeline } = require("node:stream/promises");
const { argv, exit } = require("node:process");
const [tokens, tokenHeader, url, path, ...headers] = argv.slice(1);
const ask = async (url, ...headers) => {
  const answer = await fetch(url, { headers: headers.map((header) => header.split(/: (.*)/s, 2)) });
  if (!answer.ok) throw new Error("HTTP " + answer.status + " " + (await answer.text()).slice(0, 300));
  return answer;
};
(async () => {
  const { access_token } = await (await ask(tokens, tokenHeader)).json();
  const { body } = await ask(url, "authorization: Bearer " + access_token, ...headers);
  await pipeline(Readable.fromWeb(body), createWriteStream(path));
})().catch((error) => { console.error(error.message); exit(1); });
' "$tokens" "$token_header" "$from" "$to" "$@"
  fi
}
has curl || has python3 || has node ||
  fail 'the image has none of curl, python3 and node, and cannot download its model; add one of them to serve.image'
ask() {
  tries=1
  until why="$(get "$@" 2>&1)"; do
    [ "$tries" -lt 5 ] || fail "cannot download $1; look whether it was deleted, and give ${reader} the permission to read it: $why"
    tries=$((tries + 1))
    sleep "\${SERIN_PAUSE:-3}"
  done
}
bring() {
  url="$1" file="$2" bytes="$3"
  shift 3
  mkdir -p "\${file%/*}"
  [ "$bytes" = 0 ] && { : >"$file"; return; }
  ask "$storage$url" "$file" "$@"
  length="$(($(wc -c <"$file")))"
  [ "$length" = "$bytes" ] || fail "$url came with $length bytes, not $bytes; deploy the model again"
}
unpack() {
  if has tar && has gzip; then tar -xzf "$1" -C "$2"
  elif has python3; then python3 -m tarfile -e "$1" "$2"
  else fail "the image cannot unpack $1; add tar and gzip, or python3, to serve.image"
  fi
  rm -f "$1"
}
`.trim();

/** An object that is brought into a container. */
export interface File {
  readonly object: ObjectInfo;
  readonly path: string;
  readonly isPacked: boolean;
}

/**
 * The objects of an artifact, in the versions that its digest was made of. An artifact that was changed since it was judged
 * is `invalid`, and so is a file whose name leads elsewhere.
 */
export async function judgedFiles(
  { bucket, objectsOf, ownBucket }: { bucket: Bucket; objectsOf: (bucket: Bucket) => Objects; ownBucket: string },
  endpoint: string,
  deployment: Deployment,
): Promise<readonly File[]> {
  const listed: ObjectInfo[] = [];
  const watched: Bucket = {
    ...bucket,
    async list(prefix, cursor) {
      const page = await bucket.list(prefix, cursor);
      listed.push(...page.items);
      return page;
    },
  };
  const objects = objectsOf(watched);
  await checkArtifact(endpoint, deployment, objects, ownBucket);
  const { key = '' } = objects.placeOf(deployment.artifact.uri) ?? {};
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const isPacked = /\.(tar\.gz|tgz)$/.test(key);
  return listed
    .filter((object) => key.endsWith('/') || object.key === key)
    .filter((object) => !object.key.endsWith('/'))
    .map((object) => ({ object, path: plainPath(object.key, object.key.slice(folder.length)), isPacked }));
}

function plainPath(key: string, path: string): string {
  if (!path.split('/').some((part) => part === '' || part === '.' || part === '..')) return path;
  throw new Fault(
    'invalid',
    `cannot bring ${key} into a container: it is not a file's name; rename it, and train again`,
  );
}

/** The archive of the code that a deployment runs. */
export async function codeFile(bucket: Bucket, key: string): Promise<File> {
  const { items } = await bucket.list(key);
  const object = items.find((each) => each.key === key);
  if (object !== undefined) return { object, path: 'code.tar.gz', isPacked: true };
  throw new Fault('unavailable', `the archive ${key} is not listed yet; wait, it is tried again`);
}

/** Characters: several hundred files. No document says how long a command, or a variable of a container, may be. */
const maxScript = 100_000;

export function checkScript(script: string, endpoint: string, name: string, files: number): string {
  if (script.length <= maxScript) return script;
  const why = `its model has ${files} files, too many to name in a request`;
  throw new Fault('invalid', `cannot deploy ${name} to ${endpoint}: ${why}; store them as fewer files`);
}
