import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointName, nameOfDeployment } from '@serin/azure/names';
import { expect } from 'vitest';
import { installation, type Loop } from '../loop.contract.ts';
import { names } from './functions-world.ts';
import { labourOf } from './loop-labour.ts';
import { type LoopWorld, openWorld, type WorldOptions } from './loop-world.ts';

const endpoint = endpointName(installation, 'prices');

interface How extends WorldOptions {
  readonly models?: readonly string[];
  readonly told?: number;
}

export interface AzureLoop extends Loop {
  readonly world: LoopWorld;
}

/** The loop of these models; `told`: how often each thing that happens is told. */
export async function openLoop({ models = ['prices'], told = 1, ...how }: How = {}): Promise<AzureLoop> {
  const world = await openWorld(how);
  const work = labourOf(world, models, told);
  const { azure, endpoints, jobs, app } = world;
  const deliver = (name: 'signals' | 'deadLetters', { id, body }: { readonly id: string; readonly body: string }) =>
    app(name)
      .call(body, { MessageId: id, DeliveryCount: 1 })
      .then(
        () => [],
        () => [id],
      );
  return {
    ...{ world, work, platform: 'azure', call: world.call, pump: world.pump, minute: work.minute, pass: work.pass },
    image: 'acme.azurecr.io/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004',
    store: (key, content) => azure.put(names.own, key, content),
    async drop(key, content) {
      await azure.put(names.drops, key, content);
      for (let time = 0; time < told; time += 1) await azure.publish(blobCreated(names.drops, key));
    },
    async alarm() {
      expect(await world.deliver(alert(world.now()))).toBe(200);
    },
    putSecret: async (name, text) => azure.vault.put(names.vault, `${names.secrets}${name}`, text),
    async weights() {
      const { traffic, deployments, state } = endpoints.endpointAt(endpoint);
      const [deployment] = [...deployments.values()];
      expect([state, deployments.size, deployment?.state]).toEqual(['Succeeded', 1, 'Succeeded']);
      return Object.fromEntries(Object.entries(traffic).map(([name, share]) => [nameOfDeployment(name), share]));
    },
    async written() {
      const own = azure.bucketOf(names.own);
      const objects: [string, string][] = [];
      for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
        const page = await own.list('', cursor);
        for (const { key } of page.items) {
          const found = await own.read({ key, maxBytes: 10_000_000 });
          objects.push([key, Buffer.from(found?.content ?? []).toString('latin1')]);
        }
        cursor = page.next;
      }
      return [
        ...objects,
        ...azure.storage.calls.map(({ id, bytes }) => [id, bytes.toString('latin1')] as const),
        ...azure.served.calls.map(({ id, body }) => [id, JSON.stringify(body ?? '')] as const),
        ...azure.bus.sent.flatMap(({ entity, messages }) =>
          messages.map(
            ({ body }) => [`sent to ${entity}`, Buffer.from(body.content ?? body).toString('latin1')] as const,
          ),
        ),
        ...world
          .output()
          .split('\n')
          .map((line) => ['the log', line] as const),
      ];
    },
    trainings: () =>
      [...jobs.jobs.values()].filter(({ properties }) => properties.tags['serin-kind'] === 'train').length,
    deliver: async (messages) => (await Promise.all(messages.map((each) => deliver('signals', each)))).flat(),
    giveUp: (message) => deliver('deadLetters', message),
    bodies: {
      poison: '{"specversion": "1.0", "type": "Microsoft.Storage.BlobCreated", "data": {}}',
      foreign: '{"specversion": "1.0", "type": "Microsoft.Storage.BlobDeleted", "data": {}}',
      object: (key) => blobCreated(names.drops, key),
    },
    close: world.close,
  };
}

/** As Event Grid tells of a new blob. */
const blobCreated = (container: string, key: string): string =>
  JSON.stringify({
    ...{ specversion: '1.0', type: 'Microsoft.Storage.BlobCreated', id: key, source: '/storageAccounts/a' },
    ...{ subject: `/blobServices/default/containers/${container}/blobs/${key}`, time: new Date().toISOString() },
    data: { api: 'PutBlob', contentLength: 1, blobType: 'BlockBlob' },
  });

/** As Azure Monitor delivers it to the webhook of an action group. */
function alert(at: number): string {
  const sent = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'events', 'azure', 'alert.json'), 'utf8'));
  const { essentials } = sent.data;
  essentials.alertTargetIDs = [essentials.alertTargetIDs[0].replace(/[^/]+$/, endpoint)];
  essentials.firedDateTime = new Date(at).toISOString();
  return JSON.stringify(sent);
}
