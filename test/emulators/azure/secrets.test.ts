import { keyVaultSecrets } from '@serin/azure/program-secrets';
import { webhookSecrets } from '@serin/azure/secrets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emulatedAzure } from '../emulated.ts';
import { canary, saidBy, secretsContract, variable } from '../secrets.contract.ts';
import { Refusal, serveAzure } from './rest.ts';

// https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
const refused = (message: string) => new Refusal(403, 'Forbidden', message);
const busy = new Refusal(429, 'Throttled', 'Request was not processed because too many requests were received.');

async function open() {
  /** By the name of the vault and of the secret. */
  const stored = new Map<string, string | Refusal>();
  const refusals: Refusal[] = [];
  const served = await serveAzure('azure-secrets', {
    'GET vault:/secrets/{secret}': ({ params }) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      const found = stored.get(`${params.vault}/${params.secret}`);
      if (found instanceof Refusal) throw found;
      // Its words for one that was deleted as well.
      const message = `A secret with (name/id) ${params.secret} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.`;
      if (found === undefined) throw new Refusal(404, 'SecretNotFound', message);
      const id = `https://${params.vault}.vault.azure.net/secrets/${params.secret}/0123456789abcdef`;
      return { value: found, id, attributes: { enabled: true, recoveryLevel: 'Recoverable' } };
    },
  });
  const { azure, calls, stop } = served;
  return {
    store: (name: string, what: string | Refusal) => void stored.set(name, what),
    webhooks: () => webhookSecrets({ azure, vault: 'hooks', secret: 'webhooks' }),
    withoutName: () => webhookSecrets({ azure, vault: 'hooks', secret: '' }),
    programs: keyVaultSecrets({ azure, vault: 'programs', prefix: 'config-' }),
    storeWebhooks: (text: string) => void stored.set('hooks/webhooks', text),
    storeProgram: (name: string, text: string) => void stored.set(`programs/config-${name}`, text),
    beBusy: (times: number) => void refusals.push(...Array(times).fill(busy)),
    asked: () => calls.map(({ params }) => (params.secret ?? '').replace(/^config-/, '')),
    requests: () => calls.length,
    close: stop,
  };
}

emulatedAzure('secrets in Key Vault', () => {
  secretsContract(open);

  describe('a secret', () => {
    let world: Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    test('whose newest version is disabled is not left out in silence', async () => {
      world.store('hooks/webhooks', refused('Operation get is not allowed on a disabled secret.'));

      const said = await saidBy(world.webhooks());

      expect(said.code).toBe('invalid');
      expect(said.message).toMatch(
        /^the secret webhooks of the vault hooks is closed; enable .*`az keyvault secret set --vault-name hooks --name webhooks --file <file>`: .*disabled secret/,
      );
    });

    test('without the right to read it is refused, with what to do', async () => {
      const action = "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'";
      world.store('hooks/webhooks', refused(`Caller is not authorized to perform action on resource.\r\n${action}`));

      expect(await saidBy(world.webhooks())).toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/serin plan --cloud azure[\s\S]*getSecret/),
      });
    });

    test('in a vault that is closed to the function is refused, with another thing to do', async () => {
      const closed = 'Client address is not authorized and caller is not a trusted service.';
      world.store('hooks/webhooks', refused(closed));

      expect((await saidBy(world.webhooks())).message).toContain('az keyvault network-rule add');
    });

    test('of a config that is missing is named, with the command that creates it, and the one that brings it back', async () => {
      world.storeProgram('api-key', canary);

      const said = await saidBy(world.programs({ A: variable('api-key'), B: variable('other-key') }));

      expect(said).toMatchObject({
        code: 'invalid',
        message:
          "there is no secret 'other-key'; create it with `az keyvault secret set --vault-name programs --name config-other-key --file <file>`, or bring back one that was deleted by `az keyvault secret recover`",
      });
    });
  });
});
