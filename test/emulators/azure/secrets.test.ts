import { keyVaultSecrets } from '@serin/azure/program-secrets';
import { webhookSecrets } from '@serin/azure/secrets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { Refusal, type Served, serveAzure } from './rest.ts';

const canary = 'canary-c0ffee-of-a-secret';
const variable = (name: string) => ({ secret: name });

// https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
const disabled = new Refusal(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.');
const noRole = new Refusal(
  403,
  'Forbidden',
  "Caller is not authorized to perform action on resource.\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
);

emulatedAzure('secrets in Key Vault', () => {
  /** By the name of the vault and of the secret. */
  let stored: Map<string, string | Refusal>;
  let refusals: Refusal[];
  let served: Served;
  beforeEach(async () => {
    stored = new Map();
    refusals = [];
    served = await serveAzure('azure-secrets', {
      'GET vault:/secrets/{secret}': ({ params }) => {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        const name = `${params.vault}/${params.secret}`;
        const found = stored.get(name);
        if (found instanceof Refusal) throw found;
        // Its words for one that was deleted as well.
        const message = `A secret with (name/id) ${params.secret} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.`;
        if (found === undefined) throw new Refusal(404, 'SecretNotFound', message);
        const id = `https://${params.vault}.vault.azure.net/secrets/${params.secret}/0123456789abcdef`;
        return { value: found, id, attributes: { enabled: true, recoveryLevel: 'Recoverable' } };
      },
    });
  });
  afterEach(() => served.stop());
  const saidBy = (work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> =>
    work.then(
      () => Promise.reject(new Error('nothing was refused')),
      (error) => error,
    );

  describe('of webhooks', () => {
    const webhooks = (secret: string | undefined = 'webhooks') =>
      webhookSecrets({ azure: served.azure, vault: 'hooks', secret });

    test('are those in the newest version', async () => {
      const secrets = { github: ['one', 'two'], standard: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
      stored.set('hooks/webhooks', JSON.stringify(secrets));

      expect(await webhooks()).toEqual(secrets);
    });

    test('are none where there is no secret, and where none is named', async () => {
      expect(await webhooks()).toEqual({ github: [], standard: [] });
      expect(await webhookSecrets({ azure: served.azure, vault: 'hooks', secret: '' })).toEqual({
        github: [],
        standard: [],
      });
      expect(served.calls).toHaveLength(1);
    });

    test('in a version that is disabled are not left out in silence', async () => {
      stored.set('hooks/webhooks', disabled);

      const said = await saidBy(webhooks());

      expect(said.code).toBe('invalid');
      expect(said.message).toMatch(
        /^the secret webhooks of the vault hooks is closed; enable .*`az keyvault secret set --vault-name hooks --name webhooks --file <file>`: .*disabled secret/,
      );
    });

    test.each([
      ['of another form', `{"github": "${canary}"}`],
      ['that is empty', ''],
    ])('a text %s is named, and never told', async (_, text) => {
      stored.set('hooks/webhooks', text);

      const said = await saidBy(webhooks());

      expect(said).toMatchObject({ code: 'invalid', message: expect.stringContaining('webhooks of the vault hooks') });
      expect(said.message).not.toContain(canary);
    });

    test('without the right to read them are refused, with what to do', async () => {
      stored.set('hooks/webhooks', noRole);

      expect(await saidBy(webhooks())).toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/serin plan --cloud azure[\s\S]*getSecret/),
      });
    });

    test('in a vault that is closed to the function are refused, with another thing to do', async () => {
      const closed = 'Client address is not authorized and caller is not a trusted service.';
      stored.set('hooks/webhooks', new Refusal(403, 'Forbidden', closed));

      expect((await saidBy(webhooks())).message).toContain('az keyvault network-rule add');
    });
  });

  describe('that a config names', () => {
    const secrets = () => keyVaultSecrets({ azure: served.azure, vault: 'programs', prefix: 'config-' });
    const add = (name: string, text: string | Refusal) => stored.set(`programs/config-${name}`, text);

    test('are looked up each once, without the line break at the end, below the prefix', async () => {
      const names = Array.from({ length: 11 }, (_, n) => `key-${n}`);
      for (const name of names) add(name, `text of ${name}\n`);
      const variables = Object.fromEntries(names.map((name, n) => [`KEY_${n}`, variable(name)]));

      const found = await secrets()({ ...variables, AGAIN: variable('key-0'), MODE: 'plain' });

      expect(found).toEqual({
        ...Object.fromEntries(names.map((name, n) => [`KEY_${n}`, `text of ${name}`])),
        AGAIN: 'text of key-0',
      });
      expect(served.calls.map(({ params }) => params.secret).toSorted()).toEqual(
        names.map((name) => `config-${name}`).toSorted(),
      );
    });

    test('are not asked for by a program that names none', async () => {
      expect(await secrets()({ MODE: 'plain' })).toEqual({});
      expect(served.calls).toEqual([]);
    });

    test('one that is missing is named, with the command that creates it, and the one that brings it back', async () => {
      add('api-key', canary);

      const said = await saidBy(secrets()({ A: variable('api-key'), B: variable('other-key') }));

      expect(said).toMatchObject({
        code: 'invalid',
        message:
          "there is no secret 'other-key'; create it with `az keyvault secret set --vault-name programs --name config-other-key --file <file>`, or bring back one that was deleted by `az keyvault secret recover`",
      });
    });

    test('a look-up that is refused for the moment is made once more, and in the end tried again later', async () => {
      add('api-key', canary);
      const busy = new Refusal(429, 'Throttled', 'Request was not processed because too many requests were received.');
      refusals.push(busy);
      const found = await secrets()({ A: variable('api-key') });

      refusals.push(busy, busy, busy);
      const looking = secrets()({ A: variable('api-key') });

      expect(found).toEqual({ A: canary });
      await expect(looking).rejects.toMatchObject({ code: 'throttled', retry: 'later' });
    });
  });
});
