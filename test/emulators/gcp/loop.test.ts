import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endpointName, modelName } from '@serin/gcp/names';
import { programSecret } from '@serin/gcp/program-secrets';
import { expect, onTestFinished, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { installation, type Loop, loopContract } from '../loop.contract.ts';
import { googleProject, messageOf, names, pushOf } from './functions-world.ts';
import { labourOf } from './loop-labour.ts';
import { type LoopWorld, notificationOf, openWorld } from './loop-world.ts';

const endpoint = endpointName(installation, 'prices');

interface GoogleLoop extends Loop {
  readonly world: LoopWorld;
}

async function openLoop(): Promise<GoogleLoop> {
  const world = await openWorld();
  const work = labourOf(world);
  const { google, endpoints, jobs } = world;
  const deliver = async (name: string, { id, body }: { readonly id: string; readonly body: string }) => {
    const isEnvelope = body.startsWith('{"message"');
    const status = await world.post(name, isEnvelope ? body : pushOf(messageOf(body), 1, id));
    return world.isTaken(status) ? [] : [id];
  };
  return {
    ...{ world, work, platform: 'gcp', call: world.call, pump: world.pump, minute: work.minute },
    image: `europe-west4-docker.pkg.dev/${googleProject}/ml/prices@sha256:4dc8a7e4a010a19bb9e0a6b063f355393f6e623603361bd8b105f554d4f0c004`,
    store: async (key, content) => google.storage.put(names.own, key, Buffer.from(content)),
    async drop(key, content) {
      google.storage.put(names.drops, key, Buffer.from(content));
      world.publish(notificationOf(names.drops, key));
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

emulatedGcp('the whole loop on Google Cloud', () => {
  loopContract(openLoop, {
    creates: ['gcloud secrets create', `${names.secrets}other-key`],
    alarms: 'cloud-monitoring',
    silence:
      /the requests were not shared out as configured: at 10 % the candidate should have got about [\d,]+ of [\d,]+, and got [\d,]+/,
    async afterStory({ world, written }) {
      const listed = world.google.google.calls.filter(({ id }) => /models\.listVersions$/.test(id));
      expect(listed.length).toBeGreaterThan(0);
      expect(world.endpoints.models.models.get(modelName(installation, 'prices'))?.versions).toHaveLength(3);
      const places = await written();
      for (const place of [/^starts\//, /^configs\//, /documents\.commit$/, /topics\.publish$/, /^the log/])
        expect([place, places.some(([where]) => place.test(where))]).toEqual([place, true]);
      // No emulator asks for permissions: each request of the loop is held to the role of its function.
      expect(world.roles.refused()).toEqual([]);
      for (const done of [
        `api storage.objects.create ${names.own} configs`,
        'clock datastore.entities.list project',
        'signals aiplatform.endpoints.deploy project',
        `signals storage.objects.get ${names.drops} prices`,
      ])
        expect(world.roles.done()).toContain(done);
    },
  });

  test('a message that comes while the store is away is given up in the end, kept, and taken when it is sent again', async () => {
    const { world, call, close } = await openLoop();
    onTestFinished(close);
    const letters = async () => (await call('GET', '/v1/dead-letters')).body.deadLetters;

    world.google.journalIsAway(true);
    world.publish(messageOf('{"serin":{"tick":"project"}}'));
    for (let attempt = 1; attempt <= 6; attempt += 1) await world.pump();
    world.google.journalIsAway(false);
    await world.pump();
    const [letter, ...more] = await letters();
    const replayed = await call('POST', `/v1/dead-letters/${letter.id}/replay`, {});
    await world.pump();

    expect([letter.status, more, replayed.status]).toEqual(['waiting', [], 202]);
    expect(await letters()).toMatchObject([{ status: 'replayed' }]);
  }, 120_000);
});
