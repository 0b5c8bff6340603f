import {
  type Adapter,
  absent,
  adapters,
  type Contract,
  contracts,
  type Platform,
  platforms,
} from '../test/contract/adapters.ts';

const columns = Object.keys(platforms) as readonly Platform[];
const names = Object.keys(contracts) as readonly Contract[];
const rows: readonly Adapter[] = adapters;

/** What each contract is held over on each platform, then what could not be shown there, each with its reason. */
export function contractTable(): string {
  const cell = (contract: Contract) => (platform: Platform) => {
    const held = rows.filter((row) => row.platform === platform && row.contract === contract);
    return held.length === 0 ? '-' : [...new Set(held.map(({ behind }) => behind))].join('; ');
  };
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['contract', ...columns.map((platform) => platforms[platform].title)]),
    line(['---', ...columns.map(() => '---')]),
    ...names.map((contract) => line([contract, ...columns.map(cell(contract))])),
    line(['run by', ...columns.map(commandsOf)]),
    line(['live', ...columns.map((platform) => platforms[platform].live)]),
    '',
    'Not shown:',
    '',
    ...rows.flatMap(gapLines),
    ...columns.flatMap(absentLines),
  ].join('\n');
}

function commandsOf(platform: Platform): string {
  const suites = rows.filter((row) => row.platform === platform).map(({ suite }) => suite);
  const commands = suites.map((suite) => (suite.startsWith('emulators/') ? 'npm run test:emulators' : 'npm test'));
  return [...new Set(commands)].map((command) => `\`${command}\``).join(', ');
}

/** Parts that are lacking for one reason stand on one line. */
function gapLines({ platform, contract, name, gaps = {} }: Adapter): readonly string[] {
  const parts: Readonly<Record<string, string>> = contracts[contract];
  return [...Map.groupBy(Object.entries(gaps), ([, reason]) => reason)].map(
    ([reason, of]) =>
      `- ${platforms[platform].title}, ${contract}, ${name}: ${of.map(([part]) => parts[part]).join(', ')} (${reason})`,
  );
}

function absentLines(platform: Platform): readonly string[] {
  return [...Map.groupBy(Object.entries(absent[platform] ?? {}), ([, reason]) => reason)].map(
    ([reason, of]) => `- ${platforms[platform].title}: ${of.map(([contract]) => contract).join(', ')} (${reason})`,
  );
}
