import { type Completed, firstWords, type Kind, quoted, secondWords } from './table.ts';

/** https://zsh.sourceforge.io/Doc/Release/Completion-System.html, "_arguments" and "_describe" */
export function zshScript(all: readonly Completed[], nouns: Readonly<Record<string, string>>): string {
  const verbs = secondWords(all);
  return `#compdef serin
# Completion of serin for zsh. To have it in every shell, with a folder of your own in fpath:
#   serin completion zsh > ~/.zsh/completions/_serin
_serin_names() {
  local -a names
  names=(\${(f)"$(serin __complete $1 \${2-} 2>/dev/null | tr '\\t' ':')"})
  _describe $1 names
}

_serin_of_model() {
  local -a given
  given=(\${words:#-*})
  _serin_names $1 \${given[$2]-}
}

_serin() {
  local curcontext=$curcontext state line
  if ((CURRENT == 2)); then
    local -a found
    found=(
${firstWords(all, nouns).map(describedLine).join('\n')}
    )
    _describe command found
    return
  fi
  case $words[2] in
${[...verbs.keys()].map((noun) => nounLines(noun, verbs.get(noun) ?? [], all)).join('\n')}
${all
  .filter(({ words }) => words.length === 1)
  .map((command) => `    ${command.words[0]})\n${argumentLines(command, 2)}\n      ;;`)
  .join('\n')}
  esac
}

if [ "$funcstack[1]" = _serin ]; then _serin "$@"; else compdef _serin serin; fi
`;
}

/** A colon parts a word from what it does. */
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
const describedLine = ([word, does]: readonly [string, string]): string =>
  `      ${quoted(`${escaped(word)}:${does}`)}`;

function nounLines(noun: string, verbs: readonly (readonly [string, string])[], all: readonly Completed[]): string {
  const own = all.filter(({ words }) => words[0] === noun && words.length > 1);
  return `    ${noun})
      if ((CURRENT == 3)); then
        local -a found
        found=(
${verbs.map(describedLine).join('\n')}
        )
        _describe command found
        return
      fi
      case $words[3] in
${own.map((command) => `        ${command.words[1]})\n${argumentLines(command, 3)}\n          ;;`).join('\n')}
      esac
      ;;`;
}

/** `_arguments` sees the words of the command line only from the command's own last word on. */
function argumentLines({ options, args, repeats }: Completed, at: number): string {
  const specs = [
    ...options.map(({ flag, does, value }) =>
      quoted(`${flag}[${bracketed(does)}]${value === undefined ? '' : `:${flag.slice(2)}:${actionOf(value)}`}`),
    ),
    ...args.map((kind, index) =>
      quoted(`${repeats && index === args.length - 1 ? '*' : index + 1}:${kind || 'text'}:${actionOf(kind)}`),
    ),
  ];
  return `          shift ${at - 1} words; ((CURRENT -= ${at - 1}))\n          _arguments -s -S ${specs.join(' ')}`;
}

const bracketed = (text: string): string => text.replace(/[[\]\\]/g, '\\$&').replaceAll(':', '\\:');

/** What proposes values, with a blank before a function, which then gets no more than these words; the model is the first word after the command. */
function actionOf(kind: Kind): string {
  if (kind === '') return '';
  if (kind === 'files') return '_files';
  if (kind.startsWith('=')) return `(${kind.slice(1)})`;
  return kind === 'versions' || kind === 'datasets' ? ` _serin_of_model ${kind} 2` : ` _serin_names ${kind}`;
}
