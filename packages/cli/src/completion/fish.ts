import { type Completed, firstWords, type Kind, quoted, secondWords } from './table.ts';

/** https://fishshell.com/docs/current/completions.html */
export function fishScript(all: readonly Completed[], nouns: Readonly<Record<string, string>>): string {
  const valued = [
    ...new Set(
      all.flatMap(({ options }) => options.filter(({ value }) => value !== undefined)).map(({ flag }) => flag),
    ),
  ];
  return `# Completion of serin for fish. To have it in every shell:
#   serin completion fish > ~/.config/fish/completions/serin.fish
function __serin_given
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${valued.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether the words so far are these, and so many more.
function __serin_at
    set -l given (__serin_given)
    set -l wanted $argv[2..-1]
    test (count $given) -eq (math (count $wanted) + $argv[1]); or return 1
    test (count $wanted) -eq 0; or test "$given[1..$(count $wanted)]" = "$wanted"
end

function __serin_in
    set -l given (__serin_given)
    test (count $given) -ge (count $argv); and test "$given[1..$(count $argv)]" = "$argv"
end

complete -c serin -f
${firstWords(all, nouns)
  .map((word) => wordLine('__serin_at 0', word))
  .join('\n')}
${[...secondWords(all)].flatMap(([noun, own]) => own.map((word) => wordLine(`__serin_at 0 ${noun}`, word))).join('\n')}
${all.flatMap(commandLines).join('\n')}
`;
}

const wordLine = (when: string, [word, does]: readonly [string, string]): string =>
  `complete -c serin -n ${quoted(when)} -a ${quoted(word)} -d ${quoted(does)}`;

function commandLines({ words, options, args, repeats }: Completed): readonly string[] {
  const name = words.join(' ');
  return [
    ...options.map(({ flag, does, value }) => {
      const takes = value === undefined ? '' : ` -r${proposal(value, words.length)}`;
      return `complete -c serin -n ${quoted(`__serin_in ${name}`)} -l ${flag.slice(2)} -d ${quoted(does)}${takes}`;
    }),
    ...args.flatMap((kind, index) => {
      const when = repeats && index === args.length - 1 ? `__serin_in ${name}` : `__serin_at ${index} ${name}`;
      return kind === '' ? [] : [`complete -c serin -n ${quoted(when)}${proposal(kind, words.length)}`];
    }),
  ];
}

function proposal(kind: Kind, at: number): string {
  if (kind === '') return '';
  if (kind === 'files') return ' -F';
  if (kind.startsWith('=')) return ` -a ${quoted(kind.slice(1))}`;
  return ` -a ${quoted(`(serin __complete ${kind} (__serin_given)[${at + 1}] 2>/dev/null)`)}`;
}
