import { programSecret, secretManagerSecrets } from '@serin/gcp/program-secrets';
import { webhookSecrets } from '@serin/gcp/secrets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { Refusal, type Served, serveGoogle } from './discovery.ts';
import { type FakeSecrets, fakeSecrets } from './fake-secrets.ts';

const canary = 'canary-c0ffee-of-a-secret';
const secret = 'projects/p/secrets/webhooks';
const place = { googleProject: 'p', prefix: 'serin_shop_prod_' };
const variable = (name: string) => ({ secret: name });

emulatedGcp('secrets in Secret Manager', () => {
  let manager: FakeSecrets;
  let served: Served;
  beforeEach(async () => {
    manager = fakeSecrets();
    served = await serveGoogle('gcp-secrets', manager.handlers);
  });
  afterEach(() => served.stop());
  const saidBy = (work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> =>
    work.then(
      () => Promise.reject(new Error('nothing was refused')),
      (error) => error,
    );

  describe('of webhooks', () => {
    const webhooks = (of: string | undefined = secret) => webhookSecrets({ google: served.google, secret: of });

    test('are those in the newest version', async () => {
      const stored = { github: ['one', 'two'], standard: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
      manager.add(secret, '{"github": ["old"]}');
      manager.add(secret, JSON.stringify(stored));

      expect(await webhooks()).toEqual(stored);
    });

    test('are none where there is no secret, where it has no version, and where none is named', async () => {
      manager.create('projects/p/secrets/empty');

      for (const of of [secret, 'projects/p/secrets/empty', '', undefined])
        expect(await webhookSecrets({ google: served.google, secret: of })).toEqual({ github: [], standard: [] });
      expect(served.calls).toHaveLength(2);
    });

    test.each(['DISABLED', 'DESTROYED'] as const)(
      'in a version that is %s are not left out in silence',
      async (state) => {
        manager.add(secret, '{"github": ["old"]}');
        manager.add(secret, '{"github": ["new"]}', { state });

        const said = await saidBy(webhooks());

        expect(said.code).toBe('invalid');
        expect(said.message).toMatch(
          /^the secret projects\/p\/secrets\/webhooks cannot be read; enable .*`gcloud secrets versions add projects\/p\/secrets\/webhooks --data-file=<file>`: .*D state/,
        );
      },
    );

    test.each([
      ['of another form', `{"github": "${canary}"}`],
      ['that is empty', ''],
      ['that is not text', Buffer.concat([Buffer.from(canary), Buffer.from([0xff])])],
    ])('a text %s is named, and never told', async (_, data) => {
      manager.add(secret, data);

      const said = await saidBy(webhooks());

      expect(said).toMatchObject({ code: 'invalid', message: expect.stringContaining(secret) });
      expect(said.message).not.toContain(canary);
    });

    test('are compared with the checksum that Secret Manager keeps, if it keeps one', async () => {
      manager.add(secret, `{"github": ["${canary}"]}`, { checksum: '1' });
      manager.add('projects/p/secrets/old', '{}', { checksum: undefined });

      const said = await saidBy(webhooks());

      expect(said.code).toBe('unavailable');
      expect(said.message).not.toContain(canary);
      expect(await webhooks('projects/p/secrets/old')).toEqual({ github: [], standard: [] });
    });

    test('without the right to read them are refused, with what to do', async () => {
      const denied = `Permission 'secretmanager.versions.access' denied for resource '${secret}/versions/latest'`;
      manager.refuse(new Refusal('PERMISSION_DENIED', denied));

      expect(await saidBy(webhooks())).toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/serin plan.*secretmanager\.versions\.access/),
      });
    });
  });

  describe('that a config names', () => {
    const secrets = () => secretManagerSecrets({ google: served.google, ...place });
    const add = (name: string, ...rest: [data: string, more?: object]) =>
      manager.add(programSecret(place, name), ...rest);

    test('are looked up each once, without the line break at the end, below the prefix of the installation', async () => {
      const names = Array.from({ length: 11 }, (_, n) => `key-${n}`);
      for (const name of names) add(name, `text of ${name}\n`);
      const variables = Object.fromEntries(names.map((name, n) => [`KEY_${n}`, variable(name)]));

      const found = await secrets()({ ...variables, AGAIN: variable('key-0'), MODE: 'plain' });

      expect(found).toEqual({
        ...Object.fromEntries(names.map((name, n) => [`KEY_${n}`, `text of ${name}`])),
        AGAIN: 'text of key-0',
      });
      expect(served.calls.map(({ params }) => params.name).sort()).toEqual(
        names.map((name) => `projects/p/secrets/serin_shop_prod_${name}/versions/latest`).sort(),
      );
    });

    test('are not asked for by a program that names none', async () => {
      expect(await secrets()({ MODE: 'plain' })).toEqual({});
      expect(served.calls).toEqual([]);
    });

    test('one that is missing is named, with the command that creates it', async () => {
      add('api-key', canary);

      const said = await saidBy(secrets()({ A: variable('api-key'), B: variable('other-key') }));

      expect(said).toMatchObject({
        code: 'invalid',
        message:
          "there is no secret 'other-key'; create it with `gcloud secrets create serin_shop_prod_other-key --project=p --data-file=<file>`",
      });
    });

    test('one that is not text is named, and never told', async () => {
      manager.add(programSecret(place, 'api-key'), Buffer.concat([Buffer.from(canary), Buffer.from([0xff])]));

      const said = await saidBy(secrets()({ A: variable('api-key') }));

      expect(said).toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('serin_shop_prod_api-key is not'),
      });
      expect(said.message).not.toContain(canary);
    });

    test('a look-up that is refused for the moment is made once more, and in the end tried again later', async () => {
      add('api-key', canary);
      const busy = new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
      manager.refuse(busy);
      const found = await secrets()({ A: variable('api-key') });

      manager.refuse(busy, busy, busy);
      const looking = secrets()({ A: variable('api-key') });

      expect(found).toEqual({ A: canary });
      await expect(looking).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    });
  });
});
