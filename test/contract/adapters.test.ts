import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type Adapter,
  absent,
  adapters,
  type Contract,
  contracts,
  type Platform,
  platforms,
  sourceOf,
} from './adapters.ts';

const root = join(import.meta.dirname, '..', '..');
const rows: readonly Adapter[] = adapters;
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

test.each(rows)('the suite of $contract on $platform calls the contract for $name', (row) => {
  const call = new RegExp(`\\b${row.contract}Contract\\(\\s*'${row.name.replace(/[()]/g, '\\$&')}'`);

  expect(existsSync(join(root, sourceOf(row)))).toBe(true);
  expect(textOf(`test/${row.suite}`)).toMatch(call);
});

test('only a part of its own contract can be a gap', () => {
  const wrong = rows.flatMap(({ contract, name, gaps = {} }) =>
    Object.keys(gaps).flatMap((part) => (part in contracts[contract] ? [] : [`${name}: ${part}`])),
  );

  expect(wrong).toEqual([]);
});

test('a platform that is whole has an adapter or a reason for every contract, and not both', () => {
  const answers = (Object.keys(absent) as Platform[]).flatMap((platform) =>
    (Object.keys(contracts) as Contract[]).map((contract) => {
      const has = rows.some((row) => row.platform === platform && row.contract === contract);
      return { platform, contract, isAnswered: has !== (absent[platform]?.[contract] !== undefined) };
    }),
  );

  expect(answers.filter(({ isAnswered }) => !isAnswered)).toEqual([]);
});

test('every adapter of a port stands on the screen', () => {
  const ports = readdirSync(join(root, 'packages/core/src/ports')).filter(
    (file) => `${file.replace('.ts', '')}` in contracts,
  );
  const files = (Object.keys(platforms) as Platform[]).flatMap((platform) => {
    const { folder } = platforms[platform];
    const own = [...ports, ...ports.map((file) => `ports/${file}`)].map((file) => `${folder}/${file}`);
    return own.filter((file) => existsSync(join(root, file))).map((file) => ({ platform, file }));
  });
  const listed = new Set(rows.map(sourceOf));

  const unlisted = files.filter(({ platform, file }) => {
    const contract = file.replace(/^.*\/|\.ts$/g, '') as Contract; // the name of a port
    return !listed.has(file) && absent[platform]?.[contract] === undefined;
  });

  expect(files.length).toBeGreaterThan(20);
  expect(unlisted).toEqual([]);
});
