import { programSecret, secretManagerSecrets } from '@serin/gcp/program-secrets';
import { webhookSecrets } from '@serin/gcp/secrets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emulatedGcp } from '../emulated.ts';
import { canary, saidBy, secretsContract, variable } from '../secrets.contract.ts';
import { Refusal, type Served, serveGoogle } from './discovery.ts';
import { type FakeSecrets, fakeSecrets } from './fake-secrets.ts';

const secret = 'projects/p/secrets/webhooks';
const place = { googleProject: 'p', prefix: 'serin_shop_prod_' };

emulatedGcp('secrets in Secret Manager', () => {
  let manager: FakeSecrets;
  let served: Served;
  beforeEach(async () => {
    manager = fakeSecrets();
    served = await serveGoogle('gcp-secrets', manager.handlers);
  });
  afterEach(() => served.stop());

  secretsContract(async () => {
    const fake = fakeSecrets();
    const at = await serveGoogle('gcp-secrets', fake.handlers);
    const { google } = at;
    const prefix = programSecret(place, '');
    const busy = new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
    return {
      webhooks: () => webhookSecrets({ google, secret }),
      withoutName: () => webhookSecrets({ google, secret: '' }),
      programs: secretManagerSecrets({ google, ...place }),
      storeWebhooks: (text) => fake.add(secret, text),
      storeProgram: (name, text) => fake.add(programSecret(place, name), text),
      beBusy: (times) => fake.refuse(...Array(times).fill(busy)),
      asked: () =>
        at.calls.map(({ params: { name = '' } }) => name.slice(prefix.length).replace('/versions/latest', '')),
      requests: () => at.calls.length,
      close: at.stop,
    };
  });

  describe('of webhooks', () => {
    const webhooks = (of: string | undefined = secret) => webhookSecrets({ google: served.google, secret: of });

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
  });
});
