import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobDescription } from '@serin/core/ports/jobs';
import { localFolder } from '@serin/platform/jobs/layout';
import type { Environment } from '../containers.contract.ts';
import { type Ended, mountedStore, runContained } from '../mounted-store.ts';
import type { serveLogs } from './fake-jobs.ts';
import { settings, start, type World } from './jobs-world.ts';

interface Mount {
  readonly uri: string;
}

interface Given {
  readonly world: World;
  readonly logs: Awaited<ReturnType<typeof serveLogs>>;
  /** Under which the containers find Key Vault. */
  readonly vault: string;
}

/**
 * Runs the containers of command jobs on this machine, as Azure ML would: each input and output is mounted at a place of
 * its own, which the command names. `/tmp/serin` is a folder for each node. The image is this machine.
 */
export function containersOf({ world, logs, vault }: Given) {
  const root = mkdtempSync(join(tmpdir(), 'ml-containers-'));
  const store = mountedStore(join(root, 'storage'), world);
  let starts = 0;

  const here = (text: string, node: number): string =>
    text
      .replaceAll(localFolder, join(root, `node-${node}`))
      .replaceAll(`https://${settings.vault}.vault.azure.net/`, `${vault}/`);

  /** Where what a URI names lies on this machine. */
  function folderOf({ uri }: Mount): string {
    const [, container = '', account = ''] = /^wasbs:\/\/([^@]+)@(\w+)\.blob\.core\.windows\.net\/$/.exec(uri) ?? [];
    const [, folder] = /^azureml:\/\/datastores\/serin\/paths\/(.+)\/$/.exec(uri) ?? [];
    const own = settings.ownContainer;
    if (folder === undefined && account !== (container === own ? settings.account : settings.dataAccount))
      throw new Error(`${uri} cannot be mounted`);
    const path = join(store.folder, folder === undefined ? container : join(own, folder));
    mkdirSync(path, { recursive: true });
    return path;
  }

  function runNode(properties: Properties, node: number, env: Environment): Promise<Ended> {
    const places = join(root, `wd-${starts}-${node}`);
    mkdirSync(places);
    const mounted = (kind: string, name: string, mount: Mount | undefined): string => {
      if (mount === undefined) throw new Error(`the command names no ${kind}.${name} of the job`);
      const place = join(places, `${kind}_${name}`);
      rmSync(place, { force: true });
      symlinkSync(folderOf(mount), place);
      return `${place}/`;
    };
    const command = properties.command.replace(/\$\{\{(inputs|outputs)\.(\w+)\}\}/g, (_, kind, name) =>
      mounted(kind, name, properties[kind as 'inputs' | 'outputs'][name]),
    );
    const [shell = '', path = '', ...words] = command.split(' ');
    const script = join(places, 'start.sh');
    writeFileSync(script, here(readFileSync(path, 'utf8'), node));
    return runContained([shell, script, ...words], { ...properties.environmentVariables, ...env });
  }

  return {
    root,
    lose: store.lose,
    filesOf: ({ artifacts }: JobDescription, output: string): readonly string[] => {
      const uri = artifacts?.[output]?.uri ?? '';
      return readdirSync(join(store.folder, uri.replace(/^https:\/\/[^/]+\//, '')));
    },
    /** Runs all nodes of a job to their end, tells Azure ML of it, and answers what the job has come to. */
    async run(id: string, env: Environment = {}): Promise<JobDescription & { readonly printed: readonly string[] }> {
      starts += 1;
      for (const name of [settings.ownContainer, 'drops']) await store.bring(name);
      const properties: Properties | undefined = world.fake.jobs.get(id)?.properties;
      if (properties === undefined) throw new Error(`there is no job ${id}`);
      const count = properties.resources.instanceCount;
      const ended = await Promise.all(
        Array.from({ length: count }, (_, node) =>
          runNode(properties, node, { ...variablesOf(id, node, count), ...env }),
        ),
      );
      await store.takeBack(settings.ownContainer);
      const failed = ended.find(({ status }) => status !== 0);
      const logFiles = { 'user_logs/std_log.txt': logs.write(id, ended[0]?.output ?? '') };
      const times = {
        startTimeUtc: new Date(start).toISOString(),
        endTimeUtc: new Date(start + 30_000).toISOString(),
      };
      const message = `Execution failed. User process 'sh' exited with status code ${failed?.status}. Please check log file 'user_logs/std_log.txt' for error details.`;
      const error = { error: { code: 'UserError', message } };
      if (failed === undefined) world.fake.move(id, 'Completed', { ...times, logFiles });
      else world.fake.move(id, 'Failed', { ...times, logFiles, error });
      return { ...(await world.jobs.describe(id)), printed: ended.map(({ output }) => output.trim()) };
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/**
 * What Azure ML gives each container, those of PyTorch's distribution where there are several.
 * https://learn.microsoft.com/azure/machine-learning/how-to-train-distributed-gpu#process-group-initialization
 */
const variablesOf = (id: string, node: number, nodes: number): Environment => ({
  AZUREML_RUN_ID: id,
  AZUREML_ARM_WORKSPACE_NAME: settings.workspace,
  MLFLOW_TRACKING_URI: `azureml://${settings.region}.api.azureml.ms/mlflow/v1.0/workspaces/x`,
  ...{ MLFLOW_RUN_ID: id, MLFLOW_TRACKING_TOKEN: 'a-token-of-azure-ml' },
  ...(nodes === 1
    ? {}
    : {
        ...{ MASTER_ADDR: '10.0.0.5', MASTER_PORT: '6105', WORLD_SIZE: String(nodes) },
        ...{ NODE_RANK: String(node), RANK: String(node), LOCAL_RANK: '0' },
      }),
});

interface Properties {
  readonly command: string;
  readonly inputs: Readonly<Record<string, Mount>>;
  readonly outputs: Readonly<Record<string, Mount>>;
  readonly environmentVariables: Environment;
  readonly resources: { readonly instanceCount: number };
}
