import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, expect, test } from 'vitest';
import { emulated } from '../emulated.ts';
import { paths } from '../installed.ts';
import { type Recorder, reach, recorder } from './clients.ts';

const suite = 'clients';

/** A client whose every call is answered by `status` and `body`; `sent` are the bodies that left it. */
function answering(recorded: Recorder, status: number, body: object) {
  const sent: string[] = [];
  const handle = async (request: { readonly body: string }) => {
    sent.push(request.body);
    return { response: { statusCode: status, headers: {}, body: new TextEncoder().encode(JSON.stringify(body)) } };
  };
  return { sent, client: recorded.watch(new SSMClient({ ...reach('http://nowhere:1'), requestHandler: { handle } })) };
}

emulated('the recorder', () => {
  afterEach(() => rmSync(join(paths.calls, `${suite}.json`), { force: true }));

  test('keeps what was sent, what came back and what was refused, by who answered', async () => {
    const recorded = recorder({ suite, against: 'a fake of SSM' });
    const good = answering(recorded, 200, { Parameter: { Name: '/x', Value: 'v', Type: 'String' } });
    const bad = answering(recorded, 400, { __type: 'ParameterNotFound', message: 'not found' });

    await good.client.send(new GetParameterCommand({ Name: '/x' }));
    const refused = bad.client.send(new GetParameterCommand({ Name: '/y' }));

    await expect(refused).rejects.toMatchObject({ name: 'ParameterNotFound' });
    expect([...recorded.calls()]).toEqual(['ssm:GetParameter']);
    expect(recorded.recorded).toMatchObject([
      { input: { Name: '/x' }, output: { Parameter: { Value: 'v' } }, answeredBy: 'a fake of SSM' },
      { input: { Name: '/y' }, error: { name: 'ParameterNotFound' } },
    ]);
    recorded.save();
    expect(JSON.parse(readFileSync(join(paths.calls, `${suite}.json`), 'utf8'))).toEqual({
      suite,
      calls: { 'ssm:GetParameter': { 'a fake of SSM': { answered: 1, refused: 1 } } },
    });
  });

  test('does not send what the model refuses, and tells it at the end, though the code has caught the error', async () => {
    const recorded = recorder({ suite, against: 'a fake of SSM' });
    const { client, sent } = answering(recorded, 200, { Version: 1 });

    const putting = client.send(new PutParameterCommand({ Name: '/x', Value: 'v', Tier: 'Huge' as 'Standard' }));

    await expect(putting).rejects.toThrow("ssm:PutParameter input is against AWS's model:\n  Tier: 'Huge' is none of");
    expect(sent).toEqual([]);
    expect(recorded.calls().size).toBe(0);
    expect(() => recorded.save()).toThrow("Tier: 'Huge' is none of");
  });

  test('refuses an answer that AWS could not give', async () => {
    const recorded = recorder({ suite, against: 'a fake of SSM' });
    const { client } = answering(recorded, 200, { Parameter: { Name: '/x', Type: 'Text', Value: 'v' } });

    const getting = client.send(new GetParameterCommand({ Name: '/x' }));

    await expect(getting).rejects.toThrow("output of a fake of SSM is against AWS's model:\n  Parameter.Type: 'Text'");
    expect(() => recorded.save()).toThrow("Parameter.Type: 'Text'");
  });

  test('counts no fake as an emulator', async () => {
    const recorded = recorder({ suite, against: 'moto' });
    const { client } = answering(recorded, 200, { Parameter: { Name: '/x', Value: 'v', Type: 'String' } });

    const getting = client.send(new GetParameterCommand({ Name: '/x' }));

    await expect(getting).rejects.toThrow('at http://nowhere:1 is no moto that this process has started');
  });
});
