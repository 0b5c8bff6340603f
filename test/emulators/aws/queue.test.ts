import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ssmSecrets } from '@serin/aws/program-secrets';
import { sqsQueue } from '@serin/aws/queue';
import { webhookSecrets } from '@serin/aws/secrets';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { problemsOf } from '../botocore.ts';
import { emulated } from '../emulated.ts';
import { type Emulator, paths, startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';

emulated('what the functions write to themselves, and the secrets that they read', () => {
  const calls = recorder({ suite: 'queue', against: 'moto' });
  let moto: Emulator;
  beforeAll(async () => {
    moto = await startMoto();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await moto?.stop();
    calls.save();
  });

  test('ticks reach the queue, each once, however many are sent at once; a message goes back as it was', async () => {
    const client = calls.watch(new SQSClient(reach(moto.url)));
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'signals' }));
    const queue = sqsQueue({ client, url: QueueUrl });
    const streams = Array.from({ length: 23 }, (_, index) => `model/m${index}`);

    await queue.ticks(streams);
    await queue.tick('project');
    await queue.send('not JSON');

    const bodies: string[] = [];
    for (;;) {
      const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) break;
      bodies.push(...Messages.map(({ Body = '' }) => Body));
    }
    const ticks = [...streams, 'project'].map((stream) => JSON.stringify({ serin: { tick: stream } }));
    expect(bodies.sort()).toEqual([...ticks, 'not JSON'].sort());
  });

  const place = (parameter: string) => ({ parameter, region: 'eu-west-1', endpoint: moto.url });

  test('webhook secrets are read from an encrypted parameter', async () => {
    const ssm = new SSMClient(reach(moto.url));
    const secrets = { github: ['one', 'two'], standard: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] };
    const Value = JSON.stringify(secrets);
    await ssm.send(new PutParameterCommand({ Name: '/serin/secrets', Value, Type: 'SecureString' }));
    await ssm.send(
      new PutParameterCommand({ Name: '/serin/broken', Value: '{"github": "one"}', Type: 'SecureString' }),
    );

    expect(await webhookSecrets(place('/serin/secrets'))).toEqual(secrets);
    expect(await webhookSecrets(place('/serin/absent'))).toEqual({ github: [], standard: [] });
    await expect(webhookSecrets(place('/serin/broken'))).rejects.toMatchObject({ code: 'invalid' });
    expect(problemsOf('ssm', 'GetParameter', 'input', { Name: '/serin/secrets', WithDecryption: true })).toEqual([]);
    // Sent by hand, so written down by hand.
    mkdirSync(paths.calls, { recursive: true });
    const sent = { suite: 'secrets', calls: { 'ssm:GetParameter': { moto: { answered: 1, refused: 1 } } } };
    writeFileSync(join(paths.calls, 'secrets.json'), `${JSON.stringify(sent, null, 2)}\n`);
  });

  test('secrets that a config names are read from encrypted parameters below the path of the installation', async () => {
    const ssm = new SSMClient(reach(moto.url));
    const path = '/serin/shop/prod/programs';
    const put = (name: string, Value: string, Type: 'SecureString' | 'String' = 'SecureString') =>
      ssm.send(new PutParameterCommand({ Name: `${path}/${name}`, Value, Type }));
    await put('api-key', 'the key\n');
    await put('open-key', 'told to everybody', 'String');
    const secrets = ssmSecrets({ ...place(''), path });

    expect(await secrets({ KEY: { secret: 'api-key' }, MODE: 'plain' })).toEqual({ KEY: 'the key' });
    await expect(secrets({ KEY: { secret: 'other-key' } })).rejects.toMatchObject({ code: 'invalid' });
    await expect(secrets({ KEY: { secret: 'open-key' } })).rejects.toThrow('not encrypted');
    const Names = [`${path}/api-key`];
    expect(problemsOf('ssm', 'GetParameters', 'input', { Names, WithDecryption: true })).toEqual([]);
    // Sent by hand, so written down by hand.
    mkdirSync(paths.calls, { recursive: true });
    const sent = { suite: 'program-secrets', calls: { 'ssm:GetParameters': { moto: { answered: 3, refused: 0 } } } };
    writeFileSync(join(paths.calls, 'program-secrets.json'), `${JSON.stringify(sent, null, 2)}\n`);
  });

  test('a broken parameter is named, and never told', async () => {
    const said = await webhookSecrets(place('/serin/broken')).catch((error: Error) => error.message);

    expect(said).toContain('/serin/broken');
    expect(said).not.toContain('one');
  });
});
