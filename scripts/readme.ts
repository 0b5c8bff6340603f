import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { endpointTable } from '../packages/core/src/model/endpoint/endpoint.ts';
import { intakeTable } from '../packages/core/src/model/intake/intake.ts';
import { labelsTable } from '../packages/core/src/model/labels/labels.ts';
import { monitorTable } from '../packages/core/src/model/monitor/monitor.ts';
import { rolloutTable } from '../packages/core/src/model/rollout/table.ts';
import { runTable } from '../packages/core/src/model/run/run.ts';
import { projectTable } from '../packages/core/src/project/project.ts';

const machines = {
  intake: intakeTable,
  run: runTable,
  endpoint: endpointTable,
  rollout: rolloutTable,
  labels: labelsTable,
  monitor: monitorTable,
  project: projectTable,
};
const readme = join(import.meta.dirname, '..', 'README.md');
const [begin, end] = ['<!-- states: made by scripts/readme.ts -->', '<!-- states end -->'];

/** Which signals move each state and which it ignores; all others are refused to their sender. */
export function stateTables(): string {
  return Object.entries(machines)
    .map(([name, table]) => {
      const rows = Object.entries(table as Record<string, Record<string, unknown>>).map(([status, row]) => {
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

/** The README with its tables as the code has them now. */
export function readmeWithTables(text: string): string {
  const [head = '', rest = ''] = text.split(begin);
  const [, tail = ''] = rest.split(end);
  return `${head}${begin}\n\n${stateTables()}\n\n${end}${tail}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(readme, readmeWithTables(readFileSync(readme, 'utf8')));
}
