import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { paths, whyPartsMissing } from '../../../test/emulators/installed.ts';
import { topology } from '../topology.ts';
import { all, where } from './settings.ts';

const missing = whyPartsMissing(['iam-permissions']);
const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('emulators');
if (missing !== undefined)
  process.stderr.write(`${required ? 'required' : 'skipped'}: names of permissions: ${missing}\n`);

const title = `names of permissions, by a list that others have collected${missing === undefined ? '' : ` [${missing}]`}`;
describe.skipIf(missing !== undefined && !required)(title, () => {
  test.each(Object.entries(all))('%s: IAM knows each permission of each role', (_, settings) => {
    const known = new Set(readFileSync(join(paths.permissions, 'permissions.txt'), 'utf8').split(/\r?\n/));
    const given = topology(settings, where).customRoles.flatMap(({ permissions }) => permissions);

    expect(known.size).toBeGreaterThan(10_000);
    expect(given.length).toBeGreaterThan(20);
    expect(given.filter((permission) => !known.has(permission))).toEqual([]);
  });
});
