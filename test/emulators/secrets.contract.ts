import type { ProgramSecrets } from '@serin/platform/jobs/program-secrets';
import type { WebhookSecrets } from '@serin/platform/secrets';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A store of secrets of a cloud, with one place for those of webhooks and one for those of programs. */
export interface OpenSecrets {
  /** Those of webhooks, out of the secret that an installation names. */
  webhooks(): Promise<WebhookSecrets>;
  /** The same where it names none. */
  withoutName(): Promise<WebhookSecrets>;
  readonly programs: ProgramSecrets;
  storeWebhooks(text: string): void;
  storeProgram(name: string, text: string): void;
  /** The next look-ups are refused because the store is busy. */
  beBusy(times: number): void;
  /** The secrets of programs that were asked for, by their names in a config; how many requests there were. */
  asked(): readonly string[];
  requests(): number;
  close(): Promise<void>;
}

export const canary = 'canary-c0ffee-of-a-secret';
export const variable = (name: string) => ({ secret: name });

/** What some work was refused with. */
export const saidBy = (work: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> =>
  work.then(
    () => Promise.reject(new Error('nothing was refused')),
    (error) => error,
  );

/** What holds of secrets on each cloud that has one secret to a request. */
export function secretsContract(open: () => Promise<OpenSecrets>): void {
  let secrets: OpenSecrets;
  beforeEach(async () => {
    secrets = await open();
  });
  afterEach(() => secrets.close());

  describe('of webhooks', () => {
    test('are those in the newest version', async () => {
      const stored = { github: ['one', 'two'], standard: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
      secrets.storeWebhooks('{"github": ["old"]}');
      secrets.storeWebhooks(JSON.stringify(stored));

      expect(await secrets.webhooks()).toEqual(stored);
    });

    test('are none where there is no secret, and where none is named', async () => {
      expect(await secrets.webhooks()).toEqual({ github: [], standard: [] });
      expect(await secrets.withoutName()).toEqual({ github: [], standard: [] });
      expect(secrets.requests()).toBe(1);
    });

    test.each([
      ['of another form', `{"github": "${canary}"}`],
      ['that is empty', ''],
    ])('a text %s is refused, and never told', async (_, text) => {
      secrets.storeWebhooks(text);

      const said = await saidBy(secrets.webhooks());

      expect(said).toMatchObject({ code: 'invalid', message: expect.stringContaining('webhooks') });
      expect(said.message).not.toContain(canary);
    });
  });

  describe('that a config names', () => {
    test('are looked up each once, without the line break at the end', async () => {
      const names = Array.from({ length: 11 }, (_, n) => `key-${n}`);
      for (const name of names) secrets.storeProgram(name, `text of ${name}\n`);
      const variables = Object.fromEntries(names.map((name, n) => [`KEY_${n}`, variable(name)]));

      const found = await secrets.programs({ ...variables, AGAIN: variable('key-0'), MODE: 'plain' });

      expect(found).toEqual({
        ...Object.fromEntries(names.map((name, n) => [`KEY_${n}`, `text of ${name}`])),
        AGAIN: 'text of key-0',
      });
      expect(secrets.asked().toSorted()).toEqual(names.toSorted());
    });

    test('are not asked for by a program that names none', async () => {
      expect(await secrets.programs({ MODE: 'plain' })).toEqual({});
      expect(secrets.requests()).toBe(0);
    });

    test('a look-up that is refused for the moment is made once more, and in the end tried again later', async () => {
      secrets.storeProgram('api-key', canary);
      secrets.beBusy(1);
      const found = await secrets.programs({ A: variable('api-key') });

      secrets.beBusy(3);
      const looking = secrets.programs({ A: variable('api-key') });

      expect(found).toEqual({ A: canary });
      await expect(looking).rejects.toMatchObject({ retry: 'later' });
    });
  });
}
