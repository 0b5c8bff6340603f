import { Fault } from '@serin/core/base/fault';
import type { Variables } from '@serin/core/base/variables';
import { quoted } from './command.ts';

interface Program {
  /** What has the variables, for the text of an error. */
  readonly of: string;
  readonly environment: Variables;
}

/** How a container of a cloud reads a secret by itself. A program is given the URL of a token, then that of the secret. */
export interface SecretReader {
  /** What the lines below find in `$2`. */
  readonly placeOf: (name: string) => string;
  /** Lines that set `$token` and `$url` from `$2`, the place of the secret named `$1`. */
  readonly urls: readonly string[];
  /** Programs that write the text as it is stored. */
  readonly python: string;
  readonly node: string;
  /** The body of a function of the shell, where one can do it. */
  readonly curl?: readonly string[];
  /** What to do if it is refused. */
  readonly mend: string;
}

/**
 * Lines of a script that export the variables of a program whose text is a secret. The container itself asks for each
 * text, under its own identity, so none stands in a request, in a script or in what the cloud shows of it. As on every
 * platform, a line break at the end of the stored text is left out (`secretText`).
 */
export function secretLinesBy(reader: SecretReader, { of, environment }: Program): readonly string[] {
  const named = Object.entries(environment).flatMap(([variable, value]) =>
    typeof value === 'string' ? [] : [[variable, value.secret] as const],
  );
  const odd = named.find(([variable]) => !/^[a-zA-Z_]\w*$/.test(variable));
  if (odd !== undefined)
    throw new Fault('invalid', `${of} has a secret variable ${odd[0]}; name it by letters, digits and _`);
  const exports = named.map(([variable, name]) => `take ${variable} ${quoted(name)} ${quoted(reader.placeOf(name))}`);
  return named.length === 0 ? [] : [...readerLines(reader), ...take, ...exports];
}

const readerLines = ({ urls, python, node, curl, mend }: SecretReader): readonly string[] => [
  ...(curl === undefined ? [] : ['with_curl() {', ...curl.map((line) => `  ${line}`), '}']),
  'secret() {',
  `  if command -v python3 > /dev/null; then set -- "$1" "$2" python3 -c ${quoted(python)}`,
  `  elif command -v node > /dev/null; then set -- "$1" "$2" node --input-type=module -e ${quoted(node)}`,
  ...(curl === undefined ? [] : ['  elif command -v curl > /dev/null; then set -- "$1" "$2" with_curl']),
  '  else',
  `    echo "the secret $1 cannot be read: the image has no ${curl === undefined ? 'python3 or node' : 'python3, node or curl'}; add one of them" >&2`,
  '    return 1',
  '  fi',
  '  of=$1',
  ...urls.map((line) => `  ${line}`),
  '  shift 2',
  '  for pause in 1 4 10 0; do',
  '    "$@" "$token" "$url" && return 0',
  '    sleep "$pause"',
  '  done',
  `  echo "the secret $of cannot be read; ${mend}" >&2`,
  '  return 1',
  '}',
];

// Of what a command prints, the shell drops all line breaks at the end, and no carriage return.
const take = [
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
