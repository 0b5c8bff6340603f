import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointName } from '@serin/gcp/names';
import { programSecret } from '@serin/gcp/program-secrets';
import { expect } from 'vitest';
import { installation, type Loop } from '../loop.contract.ts';
import { googleProject, messageOf, names, pushOf } from './functions-world.ts';
import { labourOf } from './loop-labour.ts';
import { type LoopWorld, notificationOf, openWorld, type WorldOptions } from './loop-world.ts';

const endpoint = endpointName(installation, 'prices');

interface How extends WorldOptions {
  readonly models?: readonly string[];
  readonly told?: number;
}

export interface GoogleLoop extends Loop {
  readonly world: LoopWorld;
}

/** The loop of these models; `told`: how often each thing that happens is told. */
export async function openLoop({ models = ['prices'], told = 1, ...how }: How = {}): Promise<GoogleLoop> {
  const world = await openWorld(how);
  const work = labourOf(world, models, told);
  const { google, endpoints, jobs } = world;
  const deliver = async (name: string, { id, body }: { readonly id: string; readonly body: string }) => {
    const isEnvelope = body.startsWith('{"message"');
    const status = await world.post(name, isEnvelope ? body : pushOf(messageOf(body), 1, id));
    return world.isTaken(status) ? [] : [id];
  };
  return {
    ...{ world, work, platform: 'gcp', call: world.call, pump: world.pump, minute: work.minute, pass: work.pass },
    image: `europe-west4-docker.pkg.dev/${googleProject}/ml/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004`,
    store: async (key, content) => google.storage.put(names.own, key, Buffer.from(content)),
    async drop(key, content) {
      google.storage.put(names.drops, key, Buffer.from(content));
      for (let time = 0; time < told; time += 1) world.publish(notificationOf(names.drops, key));
    },
    alarm: async () => world.publish(messageOf(incident(world.now()))),
    putSecret: async (name, text) =>
      world.secrets.add(programSecret({ googleProject, prefix: names.secrets }, name), text),
    async weights() {
      const { split, coming, leaving, deployed } = endpoints.endpointAt(endpoint);
      expect([coming.size, leaving.size, deployed.size]).toEqual([0, 0, 1]);
      return Object.fromEntries(Object.entries(split).map(([id, share]) => [`v${id}`, share]));
    },
    async written() {
      return [
        ...google.storage.contents(names.own).map(([name, content]) => [name, content.toString('latin1')] as const),
        ...google.google.calls.map(({ id, body }) => [id, JSON.stringify(body ?? '')] as const),
        ...world.facts.map((line) => ['the log', line] as const),
      ];
    },
    trainings: () => jobs.jobs.filter(({ labels }) => labels?.serin_kind === 'train').length,
    deliver: async (messages) => (await Promise.all(messages.map((each) => deliver('signals', each)))).flat(),
    giveUp: (message) => deliver('deadLetters', message),
    bodies: {
      poison: '{"specversion": "1.0", "type": "google.cloud.storage.object.v1.finalized", "data": {}}',
      foreign: '{"specversion": "1.0", "type": "google.cloud.cloudbuild.build.v1.statusChanged", "data": {}}',
      object: (key) => pushOf(notificationOf(names.drops, key)),
    },
    close: world.close,
  };
}

/** As Cloud Monitoring publishes it to its notification channel. */
function incident(at: number): string {
  const sent = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'events', 'gcp', 'incident.json'), 'utf8'),
  );
  sent.incident.resource.labels.endpoint_id = endpoint;
  sent.incident.started_at = Math.floor(at / 1000);
  return JSON.stringify(sent);
}
