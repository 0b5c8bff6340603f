import { type CommandSpec, commands, groups, nouns } from '../../packages/cli/src/commands.ts';

/** Every command with its options, under the headings of the help. */
export function commandBlocks(): string {
  const named = new Set(groups.flatMap(({ words }) => words));
  return groups
    .map(({ heading, words }) => {
      const own = commands.filter(({ name }) => {
        const word = name.split(' ')[0] ?? '';
        return words.length === 0 ? !named.has(word) : words.includes(word);
      });
      return [`## ${heading}`, ...sectionsOf(own)].join('\n\n');
    })
    .join('\n\n');
}

function sectionsOf(specs: readonly CommandSpec[]): readonly string[] {
  let noun = '';
  return specs.flatMap((spec) => {
    const word = spec.name.includes(' ') ? (spec.name.split(' ')[0] ?? '') : '';
    const isNew = word !== '' && word !== noun;
    noun = word;
    return [...(isNew ? [`**${word}**: ${nouns[word] ?? ''}`] : []), sectionOf(spec)];
  });
}

function sectionOf({ name, args, summary, options = [], example }: CommandSpec): string {
  const usage = ['serin', name, ...(args === undefined ? [] : [args])].join(' ');
  const rows = options.map(
    ({ flags, does }) => `| \`${flags.replaceAll('|', '\\|')}\` | ${does.replaceAll('|', '\\|')} |`,
  );
  return [
    `### \`${usage}\``,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(rows.length === 0 ? [] : ['', '| option | meaning |', '| --- | --- |', ...rows]),
    ...(example === undefined ? [] : ['', '```', example, '```']),
  ].join('\n');
}
