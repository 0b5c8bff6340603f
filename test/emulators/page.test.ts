import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { bundle, type CloudName, clouds } from '../../scripts/bundle.ts';
import { aws } from '../bench-cold/aws.ts';
import { azure } from '../bench-cold/azure.ts';
import { gcp } from '../bench-cold/gcp.ts';
import { withParts } from './emulated.ts';

/** What a browser gets of a cloud's API function, as it is deployed: nothing that needs the store is asked. */

const folder = mkdtempSync(join(tmpdir(), 'serin-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly status: number;
  readonly type: string;
  readonly policy: string;
  readonly body: string;
  readonly cookie: string;
}

/** By cloud: JavaScript that hands one request to the function in `file`, and makes `said` of its answer. */
const asks: Readonly<Record<CloudName, (file: string) => string>> = {
  // Payload 2.0 has cookies apart from the headers, both ways.
  // https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
  aws: (file) => `
    const { handler } = require(${JSON.stringify(file)});
    const ask = async (method, path, headers) => {
      const event = { version: '2.0', rawPath: path, rawQueryString: '', headers, cookies: ['a=1', 'b=2'], isBase64Encoded: false,
        requestContext: { domainName: 'serin.example', http: { method, path, sourceIp: '192.0.2.1' } } };
      const { statusCode, headers: sent, body, cookies } = await handler(event, { awsRequestId: 'r', getRemainingTimeInMillis: () => 1000 });
      return { status: statusCode, headers: sent, body, cookie: (cookies ?? []).join() };
    };`,
  gcp: (file) => `
    const { api } = require(${JSON.stringify(file)});
    const { createServer } = require('node:http');
    const ask = async (method, path, headers) => {
      const server = createServer((request, response) => api(Object.assign(request, { originalUrl: request.url }), response));
      await new Promise((up) => server.listen(0, '127.0.0.1', up));
      const answer = await fetch('http://127.0.0.1:' + server.address().port + path, { method, headers });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text(), cookie: answer.headers.get('set-cookie') ?? '' };
    };`,
  azure: (file) => `
    let registered;
    const { Module } = require('node:module');
    const load = Module._load;
    const core = { version: '1', registerHook: () => {}, setProgrammingModel: () => {}, Disposable: class {},
      registerFunction: (_, call) => { registered = call; return { dispose() {} }; } };
    Module._load = (name, ...rest) => (name === '@azure/functions-core' ? core : load(name, ...rest));
    require(${JSON.stringify(file)});
    const ask = async (method, path, headers) => {
      const request = new Request('https://serin.example' + path, { method, headers });
      const { status, headers: sent, body } = await registered(request, { log: () => {} });
      return { status, headers: sent, body: new TextDecoder().decode(body), cookie: sent['set-cookie'] ?? '' };
    };`,
};

const environments = { aws: aws.environment, gcp: gcp.environment, azure: azure.environment };

function browse(cloud: CloudName, file: string, [method, path]: readonly [string, string]): Said {
  const code = `${asks[cloud](file)}
    ask(${JSON.stringify(method)}, ${JSON.stringify(path)}, { accept: 'text/html', host: 'serin.example', 'x-serin-csrf': 'signin' })
      .then(({ status, headers, body, cookie }) => process.stdout.write(JSON.stringify({ status, cookie, body: body ?? '',
        type: headers['content-type'] ?? '', policy: headers['content-security-policy'] ?? '' }), () => process.exit()));`;
  const env = { ...environments[cloud], PATH: process.env.PATH };
  const said = execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' });
  // Before it come lines of the function's own log.
  return JSON.parse(said.trimEnd().split('\n').at(-1) ?? '');
}

for (const [cloud, part] of [
  ['aws', 'functions'],
  ['gcp', 'functions-gcp'],
  ['azure', 'functions-azure'],
] as const)
  withParts(`the page on ${cloud}`, [part], () => {
    test('comes through the function, with its files and its cookie, and is a file beside it', async () => {
      const { file } = await bundle(cloud, { name: 'api', code: clouds[cloud].entryOf('api') }, join(folder, cloud));

      const page = browse(cloud, file, ['GET', '/']);
      const script = /src="\.(\/page\/page-\w+\.js)"/.exec(page.body)?.[1] ?? '';
      const asset = browse(cloud, file, ['GET', script]);
      const signedOut = browse(cloud, file, ['DELETE', '/session']);

      expect(existsSync(join(dirname(file), 'page.cjs'))).toBe(true);
      expect(page).toMatchObject({ status: 200, type: expect.stringMatching(/^text\/html/) });
      expect(page.policy).toMatch(/^default-src 'none'; script-src 'self'/);
      expect(page.body).toContain('Sign in with a token');
      expect(asset).toMatchObject({ status: 200, type: expect.stringMatching(/^text\/javascript/) });
      expect(signedOut).toMatchObject({
        status: 204,
        cookie: expect.stringMatching(/^__Host-serin_session(_\d+)?=;.*Secure$/),
      });
    });
  });
