import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as applicationinsights from '@pulumi/azure-native/applicationinsights/index.js';
import * as authorization from '@pulumi/azure-native/authorization/index.js';
import * as eventgrid from '@pulumi/azure-native/eventgrid/index.js';
import * as keyvault from '@pulumi/azure-native/keyvault/index.js';
import * as machinelearningservices from '@pulumi/azure-native/machinelearningservices/index.js';
import * as managedidentity from '@pulumi/azure-native/managedidentity/index.js';
import * as monitor from '@pulumi/azure-native/monitor/index.js';
import * as network from '@pulumi/azure-native/network/index.js';
import * as operationalinsights from '@pulumi/azure-native/operationalinsights/index.js';
import * as resources from '@pulumi/azure-native/resources/index.js';
import * as servicebus from '@pulumi/azure-native/servicebus/index.js';
import * as storage from '@pulumi/azure-native/storage/index.js';
import * as web from '@pulumi/azure-native/web/index.js';
import * as pulumi from '@pulumi/pulumi';
import { folder } from '../../aws/test/copy.ts';
import { installed } from '../sst/installed.ts';
import type { AzureNative } from '../sst/pulumi.ts';
import type { Settings } from '../topology.ts';
import { answerOf, answerTo } from './pulumi-answers.ts';
import { fileOf } from './settings.ts';

export const azure: AzureNative = {
  applicationinsights,
  authorization,
  eventgrid,
  keyvault,
  machinelearningservices,
  managedidentity,
  monitor,
  network,
  operationalinsights,
  resources,
  servicebus,
  storage,
  web,
};

// biome-ignore lint/suspicious/noExplicitAny: inputs are read by path, and a path that is not there fails the test
type Any = any;
export interface Registered {
  /** `storage:StorageAccount` */
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
  const root = folder('sst-azure');
  writeFileSync(join(root, 'serin.azure.json'), JSON.stringify(fileOf(settings)));
  return root;
}

const keyOf = (type: string, name: string): string => `${type.replace(/^azure-native:/, '')} ${name}`;

/** Everything that Pulumi's real provider package registers while the program runs, with what Azure would answer. */
export async function registeredBy(settings: Settings, { isPreview = false } = {}) {
  const made: { readonly type: string; readonly name: string; readonly inputs: Any }[] = [];
  const options = new Map<string, Pick<Registered, 'retained' | 'imported' | 'after'>>();
  const published: string[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        made.push({ type, name, inputs });
        return answerOf(type, name, inputs);
      },
      call: ({ token }) => answerTo(token),
    },
    'project',
    'stack',
    isPreview,
  );
  const root = projectWith(settings);
  const zip = new Uint8Array([1]);
  const code = { signals: zip, api: zip, clock: zip, deadLetters: zip };
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
    return installed(
      { azure, pulumi },
      {
        root,
        stage: settings.environment,
        code,
        publish: async (host) => void published.push(host),
      },
    );
  });
  const address = await new Promise<string>((resolve) => pulumi.output(outputs?.address).apply(resolve));
  // What depends on others is registered in a turn of its own.
  await pulumi.runtime.disconnect();
  const registered = made
    .filter(({ type }) => type !== 'pulumi:pulumi:Stack')
    .map(({ type, name, inputs }): Registered => {
      const told = options.get(keyOf(type, name)) ?? { retained: false, imported: undefined, after: [] };
      return { type: type.replace(/^azure-native:/, ''), name, inputs, ...told };
    });
  return { registered, address, outputs: outputs as object, published };
}

/** A resource as others name it: its type and its name. */
const nameOf = (resource: pulumi.Resource): string => {
  const { __pulumiType: type, __name: name } = resource as Any;
  return keyOf(type, name);
};
