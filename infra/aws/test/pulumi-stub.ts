import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import type { PulumiModule } from '../../shared/pulumi.ts';

/** What a cloud answers, as a module of its tests says it. */
interface Answers {
  // biome-ignore lint/suspicious/noExplicitAny: inputs are of any resource
  readonly answerOf: (type: string, name: string, inputs: any) => { readonly id: string; readonly state: object };
  // biome-ignore lint/suspicious/noExplicitAny: and so are answers
  readonly answerTo: (token: string) => any;
  /** The provider's package, where it is not called as the cloud is. */
  readonly provider?: string;
}

interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: object;
}

/**
 * Stands for the program `pulumi`, which is in no package registry and which SST calls. It runs what SST has bundled
 * under Pulumi's mocks, by the copies of Pulumi and of the provider that SST has installed, and leaves what they have
 * registered, and how it was called, in the folder of `SERIN_PULUMI_SAID`. `SERIN_PULUMI_CLOUD` names the cloud.
 */
const [command = '', ...args] = process.argv.slice(2);
// What runs in here changes the folder.
const work = process.cwd();
switch (command) {
  case 'version':
    process.stdout.write('v3.215.0\n');
    break;
  case 'stack':
    writeState(args.at(-1) ?? '');
    break;
  case 'preview':
  case 'up':
    await run();
    break;
  case 'destroy':
    leave({});
    writeState(optionOf('--stack'));
    break;
  default:
    throw new Error(`SST asks Pulumi for '${command}', which the stub does not know`);
}

async function run(): Promise<void> {
  const cloud = process.env.SERIN_PULUMI_CLOUD ?? 'aws';
  const answers = join(import.meta.dirname, '..', '..', cloud, 'test', 'pulumi-answers.ts');
  const { answerOf, answerTo, provider = cloud } = (await import(answers)) as Answers;
  const main = /^main: (.*)$/m.exec(readFileSync(join(work, 'Pulumi.yaml'), 'utf8'))?.[1] ?? '';
  const load = createRequire(main);
  const pulumi = load('@pulumi/pulumi') as PulumiModule;
  const made: Made[] = [];
  const retained = new Set<string>();
  await pulumi.runtime.setMocks({
    newResource({ type, name, inputs }) {
      made.push({ type, name, inputs });
      return answerOf(type, name, inputs);
    },
    call: ({ token }) => answerTo(token),
  });
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      if (opts.retainOnDelete) retained.add(`${type} ${name}`);
      return undefined;
    });
    return (await import(main)).default;
  });
  const address = await new Promise<string>((resolve) => pulumi.output(outputs?.address).apply(resolve));
  await pulumi.runtime.disconnect();
  const registered = made.map((each) => ({ ...each, retained: retained.has(`${each.type} ${each.name}`) }));
  const versions = ['pulumi', provider].map((name) => load(`@pulumi/${name}/package.json`).version);
  leave({ registered, versions });
  if (command === 'up') writeState(optionOf('--stack'), { address });
}

function leave(said: object): void {
  const file = join(process.env.SERIN_PULUMI_SAID ?? '', `${command}.json`);
  writeFileSync(file, JSON.stringify({ args, ...said }));
}

function optionOf(name: string): string {
  return args[args.indexOf(name) + 1] ?? '';
}

/** The state as Pulumi keeps it in a folder, `organization/<project>/<stack>`; SST reads the outputs there. */
function writeState(stack: string, outputs?: object): void {
  const [, project = '', name = ''] = stack.split('/');
  const file = join(work, '.pulumi', 'stacks', project, `${name}.json`);
  mkdirSync(dirname(file), { recursive: true });
  const type = 'pulumi:pulumi:Stack';
  const resource = { urn: `urn:pulumi:${name}::${project}::${type}::${project}-${name}`, custom: false, type, outputs };
  const manifest = { time: '2026-01-01T00:00:00Z', magic: '', version: 'v3.215.0' };
  const latest = { manifest, resources: outputs === undefined ? [] : [resource] };
  writeFileSync(file, JSON.stringify({ version: 3, checkpoint: { stack, latest } }));
}
