import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { afterEach, expect, test, vi } from 'vitest';
import { bundle } from '../bundle.ts';
import { topology } from '../topology.ts';
import { copyOfRepository, folder, forgetFolders } from './copy.ts';
import { factsOf } from './facts.ts';
import { answerOf, answerTo, type Registered } from './pulumi-facts.ts';
import { fileOf, plain, where } from './settings.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  forgetFolders();
});

function copyWithSettings(): string {
  const root = copyOfRepository();
  writeFileSync(join(root, 'serin.aws.json'), JSON.stringify(fileOf(plain)));
  return root;
}

/**
 * The file that Lambda's runtime loads for a handler in a folder without package.json: the first that is there.
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/UserFunction.js (_tryRequire)
 */
const loadedByLambda = (folder: string, module: string): string | undefined =>
  ['', '.js', '.mjs', '.cjs'].map((extension) => join(folder, `${module}${extension}`)).find(existsSync);

test('what is bundled for a function exports the handler that the function names', async () => {
  const root = copyWithSettings();
  // Of an older version, which bundled another kind of module.
  mkdirSync(join(root, 'infra/.build/aws/api'), { recursive: true });
  writeFileSync(join(root, 'infra/.build/aws/api/index.mjs'), 'export const handler = undefined;');

  const code = bundle(root);

  for (const { id, handler } of topology(plain, where).functions) {
    const [module = '', name = ''] = handler.split('.');
    const file = loadedByLambda(code[id], module);
    expect([id, file]).toEqual([id, join(code[id], 'index.cjs')]);
    expect([id, existsSync(join(code[id], 'package.json'))]).toEqual([id, false]);
    // What was just built is no module that a compiler could know.
    const built: Record<string, unknown> = await import(pathToFileURL(file ?? '').href);
    expect([id, typeof built[name]]).toEqual([id, 'function']);
  }
});

test('a project without the sources of the functions is told so', () => {
  const root = folder('empty');

  expect(() => bundle(root)).toThrow("deploy from a copy of Serin's repository");
});

test('sst.config.ts runs whole: it bundles, and registers all functions with what was bundled', async () => {
  const root = copyWithSettings();
  const made: Omit<Registered, 'retained'>[] = [];
  await pulumi.runtime.setMocks({
    newResource({ type, name, inputs }) {
      made.push({ type, name, inputs });
      return answerOf(type, name, inputs);
    },
    call: ({ token }) => answerTo(token),
  });
  vi.stubGlobal('$config', (config: unknown) => config);
  vi.stubGlobal('$app', { name: 'serin-shop', stage: plain.environment });
  vi.stubGlobal('$cli', { paths: { root } });
  vi.stubGlobal('$util', pulumi);
  vi.stubGlobal('aws', aws);

  const { default: config } = await import('../../../sst.config.ts');
  await config.run();
  await pulumi.runtime.disconnect();

  const functions = made.filter(({ type }) => type === 'aws:lambda/function:Function').map(({ inputs }) => inputs);
  // In no order: Pulumi registers each when its archive has been read.
  const names = functions.map(({ name }) => name);
  expect(names.toSorted()).toEqual(Object.keys(factsOf(topology(plain, where)).functions).toSorted());
  for (const { code } of functions) expect(await code.path).toMatch(join(root, 'infra/.build/aws'));
});
