import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { deploymentOf, newDirectory, openMachine } from '../../contract/serving-machine.ts';
import { withParts } from '../emulated.ts';
import { paths } from '../installed.ts';

/** What real clients make of the answers, and what the model server was sent by them. */
async function ask(mode: 'ok' | 'v2') {
  const directory = newDirectory();
  const machine = await openMachine(directory);
  await machine.serve('e', [deploymentOf(directory, 1, mode)], { v1: 100 });
  const clients = spawn(
    join(paths.python, 'bin', 'python'),
    [join(import.meta.dirname, 'clients.py'), `127.0.0.1:${machine.port}`],
    {
      env: { PATH: process.env.PATH, PYTHONPATH: paths.inferenceClients, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const said = JSON.parse(await text(clients.stdout));
  const notes = readFileSync(join(directory, 'notes.ndjson'), 'utf8').trim().split('\n');
  const sent = notes.map((line) => JSON.parse(line)).filter(({ method }) => method === 'POST');
  return { said, sent };
}

withParts('clients of the Open Inference Protocol', ['python', 'inference-clients'], () => {
  test('ask a model server that has only /invocations', async () => {
    const { said, sent } = await ask('ok');

    const output = (name: string, datatype: string) => [name, datatype];
    expect(said.triton).toEqual({
      ...{ live: true, ready: true, 'model ready': true, 'version ready': true, 'another ready': false },
      ...{ server: 'serin', model: ['1'], response: { model_name: 'e', model_version: '1', id: 'r1' } },
      outputs: [
        ['float64', [0.25, 1]],
        ['int64', [1, 0]],
      ],
      'no model': expect.stringMatching(/there is no endpoint nobody/),
      'no version': expect.stringMatching(/version 9 of e does not serve/),
      'no config': expect.stringMatching(/there is nothing here/),
      nan: expect.stringMatching(/a NaN or an infinity/),
    });
    expect(said.openapi).toEqual({
      ...{ server: 'serin', model: 'serin', version: '1' },
      outputs: [output('class', 'INT64'), output('score', 'FP64')],
      wrong: expect.stringMatching(/must have 3 values, and has 1/),
      'no model': expect.stringMatching(/there is no endpoint nobody/),
    });
    const instances: readonly unknown[] = sent.map(({ url, text: body }) => [url, JSON.parse(body).instances]);
    const truths = [
      [false, true],
      [true, false],
    ];
    const numbers = [
      [0, 1],
      [1, 0],
    ];
    expect(instances).toEqual(
      [
        ...[truths, truths, ...Array(23).fill(numbers)],
        [
          { text: 'a', age: 30 },
          { text: 'ü', age: 40 },
        ],
        [{ text: 'a' }, { text: 'ü' }],
        [
          [1, 1],
          [1, 1],
        ],
        ...[numbers, numbers],
      ].map((rows) => ['/invocations', rows]),
    );
  });
});
