import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { whyPartsMissing } from '../../../test/emulators/installed.ts';
import { folder, repository } from './copy.ts';

const modules = join(repository, 'infra/node_modules');
export const sst = join(modules, '.bin/sst');
// SST downloads this program unless it finds it; in npm it is a package of its own for each kind of machine.
const bun = join(modules, '@oven/bun-linux-x64/bin/bun');

/** Why SST's own command cannot be run here; `parts`: what of the emulators it needs beside. */
export function whySstMissing(
  name: string,
  parts: readonly string[],
): { readonly missing?: string; readonly required: boolean } {
  const missing = !existsSync(sst)
    ? 'SST is not installed; run `npm ci --prefix infra`'
    : existsSync(bun)
      ? whyPartsMissing(parts)
      : "SST's bun is installed from npm on Linux, x64 only";
  const required = (process.env.SERIN_REQUIRE ?? '').split(',').includes('sst');
  if (missing === undefined) return { required };
  process.stderr.write(`${required ? 'required' : 'skipped'}: ${name}: ${missing}\n`);
  return { missing, required };
}

/** What SST has installed stays from one run to the next: that is hundreds of packages. All else goes. */
export function emptyFolder(root: string): string {
  const kept = ['.sst', '.sst/platform', '.sst/provider-lock.json'];
  const found = existsSync(root) ? [...readdirSync(root), ...filesIn(root, '.sst')] : [];
  for (const path of found) if (!kept.includes(path)) rmSync(join(root, path), { recursive: true });
  return root;
}
const filesIn = (root: string, name: string): readonly string[] =>
  existsSync(join(root, name)) ? readdirSync(join(root, name)).map((file) => `${name}/${file}`) : [];

/** The environment of a computer on which nobody has deployed yet: SST's bun, and the stub of Pulumi, lie where SST looks. */
export function newComputer() {
  const home = folder('home');
  const programs = join(home, 'sst', 'bin');
  mkdirSync(programs, { recursive: true });
  symlinkSync(bun, join(programs, 'bun'));
  const stub = join(import.meta.dirname, 'pulumi-stub.ts');
  writeFileSync(join(programs, 'pulumi'), `#!/bin/sh\nexec '${process.execPath}' '${stub}' "$@"\n`);
  chmodSync(join(programs, 'pulumi'), 0o755);
  return {
    PATH: [join(modules, '.bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: home,
    SST_TELEMETRY_DISABLED: '1',
    SST_PRINT_LOGS: '1',
  };
}

/** A project whose model is trained only, in the copy that SST deploys from. */
export function writeProject(root: string, image: object): void {
  const command = ['python3', 'train.py'];
  const data = { bucket: 'acme-ml-data', prefix: 'fraud/' };
  const fraud = { data, train: { code: './src', command, image }, approval: {}, serve: 'none' };
  const config = { project: 'shop', environment: 'prod', models: { fraud } };
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/train.py'), '#');
  writeFileSync(join(root, 'serin.config.json'), JSON.stringify(config));
}
