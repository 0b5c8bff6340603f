import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gcp from '@pulumi/gcp';
import * as pulumi from '@pulumi/pulumi';
import { folder } from '../../aws/test/copy.ts';
import { installed } from '../sst/installed.ts';
import type { Settings } from '../topology.ts';
import { answerOf, answerTo } from './pulumi-answers.ts';
import { fileOf } from './settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: inputs are read by path, and a path that is not there fails the test
type Any = any;
export interface Registered {
  /** `pubsub/topic:Topic` */
  readonly type: string;
  readonly name: string;
  readonly inputs: Any;
  readonly retained: boolean;
  /** What an earlier installation left, and this takes over. */
  readonly imported: string | undefined;
  /** Names of resources that must stand before, directly. */
  readonly after: readonly string[];
}

/** A project with these settings in its file, as `sst deploy` finds it. */
export function projectWith(settings: Settings): string {
  const root = folder('sst-gcp');
  writeFileSync(join(root, 'serin.gcp.json'), JSON.stringify(fileOf(settings)));
  return root;
}

const keyOf = (type: string, name: string): string => `${type.replace(/^gcp:/, '')} ${name}`;

/** Everything that Pulumi's real provider package registers while the program runs, with what Google would answer. */
export async function registeredBy(settings: Settings) {
  const made: { readonly type: string; readonly name: string; readonly inputs: Any }[] = [];
  const options = new Map<string, Pick<Registered, 'retained' | 'imported' | 'after'>>();
  const asked: string[] = [];
  await pulumi.runtime.setMocks({
    newResource({ type, name, inputs }) {
      made.push({ type, name, inputs });
      return answerOf(type, name, inputs);
    },
    call({ token }) {
      asked.push(token);
      return answerTo(token);
    },
  });
  const root = projectWith(settings);
  const one = { folder: root, digest: '0123456789abcdef' };
  const code = { signals: one, api: one, clock: one, deadLetters: one };
  const outputs = await pulumi.runtime.runInPulumiStack(async () => {
    // Options of a resource are not told to mocks.
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      const { import: taken, retainOnDelete, dependsOn = [] } = opts as pulumi.CustomResourceOptions;
      const after = [dependsOn].flat().map((each) => nameOf(each as pulumi.Resource));
      options.set(keyOf(type, name), {
        retained: retainOnDelete ?? false,
        imported: taken === undefined ? undefined : String(taken),
        after,
      });
      return undefined;
    });
    return installed({ gcp, pulumi }, { root, stage: settings.environment, code });
  });
  const address = await new Promise<string>((resolve) => pulumi.output(outputs?.address).apply(resolve));
  // What depends on others is registered in a turn of its own.
  await pulumi.runtime.disconnect();
  const registered = made
    .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
    .map(({ type, name, inputs }): Registered => {
      const told = options.get(keyOf(type, name)) ?? { retained: false, imported: undefined, after: [] };
      return { type: type.replace(/^gcp:/, ''), name, inputs, ...told };
    });
  return { registered, address, asked };
}

/** A resource as others name it: its type and its name. */
const nameOf = (resource: pulumi.Resource): string => {
  const { __pulumiType: type, __name: name } = resource as Any;
  return keyOf(type, name);
};
