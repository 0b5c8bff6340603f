import { type Completed, firstWords, quoted, secondWords } from './table.ts';

/**
 * For bash 3.2 and newer. What never changes is in the script, so only a name that the server knows costs a start
 * of the command. https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html
 */
export function bashScript(all: readonly Completed[], nouns: Readonly<Record<string, string>>): string {
  const valued = [
    ...new Set(
      all.flatMap(({ options }) => options.filter(({ value }) => value !== undefined)).map(({ flag }) => flag),
    ),
  ];
  const verbs = [...secondWords(all)].map(
    ([noun, own]) => `    ${noun}) printf '%s\\n' ${own.map(([verb]) => verb).join(' ')} ;;`,
  );
  return `# Completion of serin for bash. To have it in every shell:
#   serin completion bash > ~/.local/share/bash-completion/completions/serin
_serin_kind() {
  case $1 in
    '') ;;
    files) compgen -f -- "$2" ;;
    =*) printf '%s\\n' \${1#=} ;;
    *) serin __complete "$1" "$3" 2>/dev/null | cut -f 1 ;;
  esac
}

_serin_verbs() {
  case $1 in
${verbs.join('\n')}
  esac
}

# Of a command: its options, and what its arguments are.
_serin_command() {
  case $1 in
${all.map(commandLines).join('\n')}
    *) return 1 ;;
  esac
}

_serin_value() {
  case $1 in
${all.flatMap(valueLines).join('\n')}
  esac
}

_serin() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} skip='' i word found
  local options args repeats at name
  local -a given=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=''; continue; fi
    case $word in
      ${valued.join('|')}) skip=1 ;;
      -*) ;;
      *) given[\${#given[@]}]=$word ;;
    esac
  done
  COMPREPLY=()
  if ((\${#given[@]} == 0)) && [[ $cur != -* ]]; then
    found=$(printf '%s\\n' ${firstWords(all, nouns)
      .map(([word]) => word)
      .join(' ')})
  else
    name=\${given[0]-}
    at=1
    if [[ -n $(_serin_verbs "$name") ]]; then
      if ((\${#given[@]} == 1)); then found=$(_serin_verbs "$name"); fi
      name="$name \${given[1]-}"
      at=2
    fi
    if [[ -z \${found-} ]] && _serin_command "$name"; then
      if [[ -n $skip ]]; then
        found=$(_serin_kind "$(_serin_value "$name $prev")" "$cur" "\${given[at]-}")
      elif [[ $cur == -* ]]; then
        found=$(printf '%s\\n' $options)
      else
        local -a kinds=()
        IFS='|' read -r -a kinds <<< "$args"
        i=$((\${#given[@]} - at))
        if [[ -n $repeats ]] && ((i >= \${#kinds[@]})); then i=$((\${#kinds[@]} - 1)); fi
        found=$(_serin_kind "\${kinds[i]-}" "$cur" "\${given[at]-}")
      fi
    fi
  fi
  # Not by compgen -W, which would expand what a server says.
  while IFS= read -r word; do
    if [[ -n $word && $word == "$cur"* ]]; then COMPREPLY[\${#COMPREPLY[@]}]=$word; fi
  done <<< "\${found-}"
}

complete -o filenames -F _serin serin
`;
}

function commandLines({ words, options, args, repeats }: Completed): string {
  const flags = options.map(({ flag }) => flag).join(' ');
  return `    ${quoted(words.join(' '))}) options=${quoted(flags)} args=${quoted(args.join('|'))} repeats=${repeats ? 1 : "''"} ;;`;
}

const valueLines = ({ words, options }: Completed): readonly string[] =>
  options
    .filter(({ value = '' }) => value !== '')
    .map(({ flag, value = '' }) => `    ${quoted(`${words.join(' ')} ${flag}`)}) printf '%s' ${quoted(value)} ;;`);
