import { expect, test } from 'vitest';
import { programSecrets, withoutSecrets } from './program-secrets.ts';

test('each secret is read once, some at a time, without the line break of its file', async () => {
  const asked: (readonly string[])[] = [];
  const secrets = programSecrets({
    atOnce: 2,
    creation: (name) => `\`create ${name}\``,
    read: async (names) => {
      asked.push(names);
      return new Map(names.filter((name) => name !== 'gone').map((name) => [name, `text of ${name}\n`]));
    },
  });

  const texts = await secrets({
    A: { secret: 'a' },
    B: { secret: 'b' },
    C: { secret: 'c' },
    D: { secret: 'a' },
    E: 'x',
  });

  expect(texts).toEqual({ A: 'text of a', B: 'text of b', C: 'text of c', D: 'text of a' });
  expect(asked).toEqual([['a', 'b'], ['c']]);
  await expect(secrets({ A: { secret: 'gone' } })).rejects.toMatchObject({
    code: 'invalid',
    message: "there is no secret 'gone'; create it with `create gone`",
  });
});

test('an error that quotes what was sent is thrown without the texts of secrets, and told apart as before', async () => {
  const error = Object.assign(new Error('the value "my \\"key\\"" is wrong'), {
    name: 'Bad',
    code: 7,
    answer: 'my "key"',
  });

  const thrown = await withoutSecrets({ KEY: 'my "key"' }, ['name', 'code'], () => Promise.reject(error)).catch(
    (error: unknown) => error,
  );

  expect(thrown).toMatchObject({ name: 'Bad', code: 7, message: 'the value "<secret>" is wrong' });
  expect(JSON.stringify({ ...(thrown as object), stack: (thrown as Error).stack })).not.toContain('key');
});

test('a text of three characters is not a secret, and takes no word out of an error', async () => {
  const error = new Error('the job is gone');

  await expect(withoutSecrets({ KEY: 'job' }, [], () => Promise.reject(error))).rejects.toBe(error);
});
