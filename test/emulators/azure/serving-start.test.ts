import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { secretLines } from '@serin/azure/jobs/secret-script';
import { blobObjects } from '@serin/azure/jobs/settings';
import { neededOf, startScript } from '@serin/azure/serving/start';
import type { Bucket } from '@serin/core/ports/bucket';
import { artifactAt } from '@serin/platform/jobs/artifacts';
import { expect, test } from 'vitest';
import { storeCode } from '../aws/stored.ts';
import { emulatedAzure } from '../emulated.ts';
import {
  always,
  fixtures,
  freePort,
  packers,
  type Reached,
  servingStart,
  storedSecret,
} from '../serving-start.contract.ts';
import { account, accounts, ownContainer, uriOf } from './installation.ts';
import { openWorld } from './serving-world.ts';

/** A program that knows Azure ML's variable, and the port of every platform. */
const server = `
import http.server, json, os
folder = os.environ["AZUREML_MODEL_DIR"]
births = json.load(open(folder + "/model.json"))["Monday"]
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"secret": os.environ["KEY"]})
    def do_POST(self):
        self.answer({"predictions": [{"births": round(births)}]})
    def answer(self, said):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())
    def log_message(self, *said):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answers).serve_forever()
`;

const client = 'client-of-models';
const etag = '0x8DE2B';
const vault = 'https://shopvault.vault.azure.net';

interface Blob {
  readonly content: Buffer;
  readonly etag: string;
}

interface Store {
  blob(key: string): Promise<Blob | undefined> | Blob | undefined;
  /** So many requests for blobs fail first. */
  readonly failures?: number;
}

/**
 * Blob Storage, Key Vault and the identity endpoint, as a container of Azure ML reaches them. The endpoint is that which
 * Microsoft's own clients know of Azure ML: @azure/identity and azure-identity, `MSI_ENDPOINT` and the header `secret`.
 */
async function serveContainer({ blob, failures = 0 }: Store): Promise<Reached & { readonly url: string }> {
  let left = failures;
  async function answer(url: URL, header: (name: string) => string): Promise<readonly [number, Buffer | string]> {
    const { pathname, searchParams } = url;
    if (pathname === '/msi/token') {
      const asked = ['api-version', 'clientid', 'resource'].map((name) => searchParams.get(name));
      if (header('secret') !== 'shared' || asked[0] !== '2017-09-01' || asked[1] !== client)
        return [400, 'who are you?'];
      return [200, JSON.stringify({ token_type: 'Bearer', access_token: `for ${asked[2]}`, expires_on: '1800000000' })];
    }
    const bearer = header('authorization').replace('Bearer for ', '');
    if (pathname.startsWith('/secrets/')) {
      if (bearer !== 'https://vault.azure.net' || !searchParams.has('api-version'))
        return [401, 'no token for a vault'];
      return pathname === '/secrets/prod-shop-api-key' ? [200, JSON.stringify({ value: storedSecret })] : [404, '{}'];
    }
    if (bearer !== 'https://storage.azure.com/') return [401, 'no token for storage'];
    if (header('x-ms-version') < '2017-11-09') return [400, 'an old version takes no token'];
    if (left-- > 0) return [503, 'ServerBusy'];
    const found = await blob(decodeURIComponent(pathname.replace(`/${ownContainer}/`, '')));
    if (found === undefined) return [404, 'BlobNotFound'];
    return header('if-match') === `"${found.etag}"` ? [200, found.content] : [412, 'ConditionNotMet'];
  }
  const http = createServer((request, response) => {
    const header = (name: string) => String(request.headers[name] ?? '');
    void answer(new URL(request.url ?? '', 'http://azure'), header).then(([status, body]) => {
      response.writeHead(status).end(body);
    });
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    url,
    variables: { SERIN_ENDPOINT_BLOB: url, MSI_ENDPOINT: `${url}/msi/token`, MSI_SECRET: 'shared' },
    async stop() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

emulatedAzure('the start of a serving container', () => {
  const { closers, newFolder, programs, packed, served } = fixtures();
  const objects = new Map<string, Buffer>();

  servingStart({
    needed(key, path, content) {
      objects.set(key, content);
      const object = { key, version: etag, bytes: content.length };
      return neededOf({ container: ownContainer }, object, { path, isPacked: path.endsWith('.tar.gz') });
    },
    overwritten: (model) => ({ ...model, headers: model.headers?.map((header) => header.replace(etag, '0x1')) ?? [] }),
    script: (start, { variables }, root) =>
      startScript(start, { account, client }, root).replaceAll(vault, variables.SERIN_ENDPOINT_BLOB ?? ''),
    reach: ({ cut = false, failures = 0 } = {}) =>
      serveContainer({
        failures,
        blob(key) {
          const content = objects.get(key);
          if (content === undefined) return undefined;
          return { content: cut ? content.subarray(0, content.length / 2) : content, etag };
        },
      }),
    secrets: secretLines(
      { of: 'v1 of e', environment: { KEY: { secret: 'api-key' } } },
      { vault: 'shopvault', secretsPrefix: 'prod-shop-', client },
    ),
    readsSecrets: { curl: false, python3: true, node: true },
    modelVariable: 'AZUREML_MODEL_DIR',
    modelIn: (root) => `${root}/model`,
  });

  test('a container whose image runs "$SERIN_START" serves the model that was deployed', async () => {
    const world = await openWorld({ suite: 'azure-serving-start' });
    closers.push(() => world.served.stop());
    const put = (_: string, key: string, content: string) => world.bucket.write(key, Buffer.from(content));
    const digest = await storeCode({ 'serve.py': server }, put);
    await world.bucket.write('jobs/v1/model.tar.gz', packed({ 'model.json': '{"Monday":9470.4}' }));
    const artifact = await artifactAt(
      uriOf('jobs/v1/model.tar.gz'),
      blobObjects(() => world.bucket, accounts),
    );
    const environment = { KEY: { secret: 'api-key' } };
    const more = { environment, code: { digest }, ...(artifact === undefined ? {} : { artifact }) };
    await world.deployed(world.deploymentOf(1, more));
    const [{ body } = {}] = world.asked('PUT onlineEndpoints/{endpointName}/deployments/{deploymentName}');
    const { SERIN_START: script, ...given } = body?.properties.environmentVariables ?? {};
    const container = await serveContainer({ blob: (key) => blobIn(world.bucket, key) });
    closers.push(() => container.stop());
    const port = await freePort();

    const answer = await served(
      'eval "$SERIN_START"',
      {
        ...given,
        ...container.variables,
        SERIN_START: script.replace('root=/opt/ml', `root=${newFolder()}`).replaceAll(vault, container.url),
        // The test has a port of its own.
        ...{ PORT: `${port}`, SAGEMAKER_BIND_TO_PORT: `${port}`, AIP_HTTP_PORT: `${port}` },
        PATH: programs([...always, ...packers, 'curl', 'python3']),
      },
      port,
    );

    expect(answer).toEqual({ predictions: [{ births: 9470 }] });
  });
});

async function blobIn(bucket: Bucket, key: string): Promise<Blob | undefined> {
  const [info] = (await bucket.list(key)).items;
  const found = await bucket.read({ key, maxBytes: 1e9 });
  return found === undefined || info === undefined
    ? undefined
    : { content: Buffer.from(found.content), etag: info.version };
}
