import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { concealing, ssmSecrets } from '@serin/aws/program-secrets';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';

const path = '/serin/shop/prod/programs';
const canary = 'canary-c0ffee-of-a-secret';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  onTestFinished(() => void vi.unstubAllEnvs());
});

interface Stored {
  readonly Type?: string;
  readonly Value: string;
}

/** SSM on loopback, with these parameters below the path; `refusing` is what it says instead, once each. */
async function ssm(stored: Readonly<Record<string, Stored>>, refusing: string[] = []) {
  const asked: { readonly Names: readonly string[]; readonly WithDecryption: boolean }[] = [];
  const server = createServer(async (request, response) => {
    const input = JSON.parse((await request.toArray()).join(''));
    asked.push(input);
    const refusal = refusing.shift();
    if (refusal !== undefined) return response.writeHead(400).end(JSON.stringify({ __type: refusal, message: 'no' }));
    const isThere = (name: string) => stored[name.slice(path.length + 1)] !== undefined;
    const Parameters = input.Names.filter(isThere).map((Name: string) => ({
      Name,
      Type: 'SecureString',
      ...stored[Name.slice(path.length + 1)],
    }));
    return response.end(
      JSON.stringify({ Parameters, InvalidParameters: input.Names.filter((name: string) => !isThere(name)) }),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, place: { path, region: 'eu-west-1', endpoint } };
}

const variable = (secret: string) => ({ secret });

test('the variables that name a secret get its text, asked for ten at once and each once', async () => {
  const names = Array.from({ length: 11 }, (_, n) => `key-${n}`);
  const { asked, place } = await ssm(Object.fromEntries(names.map((name) => [name, { Value: `text of ${name}\n` }])));
  const variables = Object.fromEntries(names.map((name, n) => [`KEY_${n}`, variable(name)]));

  const found = await ssmSecrets(place)({ ...variables, AGAIN: variable('key-0'), MODE: 'plain' });

  expect(found).toEqual({
    ...Object.fromEntries(names.map((name, n) => [`KEY_${n}`, `text of ${name}`])),
    AGAIN: 'text of key-0',
  });
  expect(asked.map(({ Names }) => Names.length)).toEqual([10, 1]);
  expect(asked.every(({ WithDecryption }) => WithDecryption)).toBe(true);
});

test('SSM is not asked for a program without secrets', async () => {
  const { asked, place } = await ssm({});

  expect(await ssmSecrets(place)({ MODE: 'plain' })).toEqual({});
  expect(asked).toEqual([]);
});

test('a secret that is missing is named, with the command that creates it under the key of the installation', async () => {
  const { place } = await ssm({ 'api-key': { Value: canary } });
  const secrets = ssmSecrets({ ...place, kmsKey: 'arn:of:a-key' });

  const said = await secrets({ A: variable('api-key'), B: variable('other-key') }).catch((error: unknown) => error);

  expect(said).toMatchObject({
    code: 'invalid',
    message: `there is no secret 'other-key'; create it with \`aws ssm put-parameter --type SecureString --key-id arn:of:a-key --name ${path}/other-key --value file://<file>\``,
  });
});

test('a parameter that is not encrypted is refused, and its text is not told', async () => {
  const { place } = await ssm({ 'api-key': { Type: 'String', Value: canary } });

  const said = await ssmSecrets(place)({ A: variable('api-key') }).catch((error: Error) => error.message);

  expect(said).toContain("the secret 'api-key' is a String, which is not encrypted");
  expect(said).not.toContain(canary);
});

test('a throttled look-up is worth another try, and one without the right is not', async () => {
  const { place } = await ssm({ 'api-key': { Value: canary } }, [
    'ThrottlingException',
    'com.amazonaws.ssm#ThrottlingException',
    'AccessDeniedException',
  ]);
  const look = () => ssmSecrets(place)({ A: variable('api-key') });

  for (const _ of ['first', 'second'])
    await expect(look()).rejects.toMatchObject({ code: 'throttled', retry: 'later' });
  await expect(look()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('serin plan') });
  expect(await look()).toEqual({ A: canary });
});

test('SSM that cannot be reached is worth another try', async () => {
  const place = { path, region: 'eu-west-1', endpoint: 'http://127.0.0.1:1' };

  await expect(ssmSecrets(place)({ A: variable('api-key') })).rejects.toMatchObject({ code: 'unavailable' });
});

test('an error of AWS that quotes a secret is thrown without it, and is told apart as before', async () => {
  const quoted = `1 validation error detected: Value '{A=${canary}, B=two\\nlines}' at 'environment' failed`;
  const error = Object.assign(new Error(quoted), {
    name: 'ValidationException',
    $metadata: { httpStatusCode: 400 },
    $response: { body: quoted },
  });
  const send = () => concealing({ A: canary, B: 'two\nlines', C: 'a' }, () => Promise.reject(error));

  const thrown = await send().catch((caught: unknown) => caught as typeof error);

  expect(thrown).toMatchObject({
    name: 'ValidationException',
    message: "1 validation error detected: Value '{A=<secret>, B=<secret>}' at 'environment' failed",
    $metadata: { httpStatusCode: 400 },
  });
  expect(thrown).not.toHaveProperty('$response');
  expect(thrown?.stack).not.toContain(canary);
});
