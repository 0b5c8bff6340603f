import { modelName } from '@serin/gcp/names';
import { expect, onTestFinished, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { installation, loopContract } from '../loop.contract.ts';
import { messageOf, names } from './functions-world.ts';
import { openLoop } from './open-loop.ts';

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
