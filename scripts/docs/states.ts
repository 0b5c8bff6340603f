import { machines } from '../../packages/core/src/model/machines.ts';
import { projectTable } from '../../packages/core/src/project/project.ts';

const tables: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  ...Object.fromEntries(Object.entries(machines).map(([name, { table }]) => [name, table])),
  project: projectTable,
};

/** Which signals move each state and which it ignores; all others are refused to their sender. */
export function stateTables(): string {
  return Object.entries(tables)
    .map(([name, table]) => {
      const rows = Object.entries(table).map(([status, row]) => {
        const signals = (wanted: boolean) =>
          Object.entries(row)
            .filter(([, cell]) => (wanted ? typeof cell === 'function' : cell === 'ignore'))
            .map(([signal]) => signal)
            .sort()
            .join(', ');
        return `| \`${status}\` | ${signals(true)} | ${signals(false)} |`;
      });
      return [
        `**${name}**`,
        '',
        '| state | signals it acts on | late or repeated: ignored |',
        '|---|---|---|',
        ...rows,
      ].join('\n');
    })
    .join('\n\n');
}
