import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bucket } from '@serin/core/ports/bucket';
import { secretLines } from '@serin/gcp/jobs/secret-script';
import { literal } from '@serin/gcp/serving/container';
import { neededOf, startScript } from '@serin/gcp/serving/start';
import { artifactAt, placeBy } from '@serin/platform/jobs/artifacts';
import { expect, test } from 'vitest';
import { storeCode } from '../aws/stored.ts';
import { emulatedGcp } from '../emulated.ts';
import { always, fixtures, freePort, packers, servingStart, storedSecret } from '../serving-start.contract.ts';
import { Media, Refusal, type Request, type Served, serveGoogle } from './discovery.ts';
import { openWorld } from './serving-world.ts';

const exampleServer = join(import.meta.dirname, '../../../examples/vertex/src/serve.py');
const suite = 'gcp-serving-start';
const place = { googleProject: 'p', secretsPrefix: 'prefix-' };
const generation = '1795169730123456';

/** As Kubernetes expands a command. */
const expanded = (text: string): string => text.replaceAll('$$', '$');

emulatedGcp('the start of a serving container', () => {
  const { closers, newFolder, programs, packed, served: answered } = fixtures();
  const objects = new Map<string, Buffer>();

  servingStart({
    needed(key, path, content) {
      objects.set(key, content);
      const object = { key, version: generation, bytes: content.length };
      return neededOf('serin-own', object, { path, isPacked: path.endsWith('.tar.gz') });
    },
    overwritten: (model) => ({ ...model, url: model.url.replace(generation, '2') }),
    script: (start, _, root) => expanded(literal(startScript(start, root))),
    reach({ cut = false, failures = 0 } = {}) {
      let left = failures;
      return serveGoogle(suite, {
        'storage.objects.get': ({ params, query }: Request) => {
          if (left-- > 0) throw new Refusal('UNAVAILABLE', 'try again');
          const content = objects.get(params.object ?? '');
          if (content === undefined || query.get('generation') !== generation)
            throw new Refusal('NOT_FOUND', `No such object: ${params.object}`);
          return new Media(cut ? content.subarray(0, content.length / 2) : content);
        },
        'secretmanager.projects.secrets.versions.access': ({ params }: Request) => ({
          name: params.name,
          payload: { data: Buffer.from(params.name?.includes('api-key') ? storedSecret : 'plain').toString('base64') },
        }),
      });
    },
    secrets: secretLines({ of: 'v1 of e', environment: { KEY: { secret: 'api-key' } } }, place),
    readsSecrets: { curl: true, python3: true, node: true },
    modelVariable: 'AIP_STORAGE_URI',
    modelIn: (root) => `file://${root}/model`,
  });

  test("a container of Vertex AI's contract serves the model that was deployed", async () => {
    const world = await openWorld({ suite });
    closers.push(() => world.served.stop());
    const put = (_: string, key: string, content: string) => world.bucket.write(key, Buffer.from(content));
    const digest = await storeCode({ 'serve.py': readFileSync(exampleServer, 'utf8') }, put);
    await world.bucket.write('jobs/v1/model.tar.gz', packed({ 'model.json': '{"Monday":9470.4}' }));
    const artifact = await artifactAt('gs://serin-own/jobs/v1/model.tar.gz', {
      buckets: () => world.bucket,
      placeOf: placeBy('gs'),
    });
    await world.deployed(world.deploymentOf(1, { code: { digest }, ...(artifact === undefined ? {} : { artifact }) }));
    const { command, env } = world.asked('models.upload')[0]?.body.model.containerSpec ?? {};
    const { variables } = await serveFrom(world.bucket);
    const port = await freePort();

    const answer = await answered(
      expanded(command[2]).replace('root=/opt/ml', `root=${newFolder()}`),
      {
        ...variables,
        ...Object.fromEntries(env.map(({ name, value }: { name: string; value: string }) => [name, expanded(value)])),
        // As Vertex AI sets them: https://docs.cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
        ...{ AIP_HTTP_PORT: String(port), AIP_HEALTH_ROUTE: '/ping', AIP_PREDICT_ROUTE: '/invocations' },
        ...{ AIP_STORAGE_URI: '', PATH: programs([...always, ...packers, 'curl', 'python3']) },
      },
      port,
    );

    expect(answer).toEqual({ predictions: [{ births: 9470 }] });
  });

  /** The objects of a bucket, as Cloud Storage serves them. */
  async function serveFrom(bucket: Bucket): Promise<Served> {
    const served = await serveGoogle(suite, {
      'storage.objects.get': async ({ params, query }: Request) => {
        const key = params.object ?? '';
        const [info] = (await bucket.list(key)).items;
        const found = await bucket.read({ key, maxBytes: 1e9 });
        if (found === undefined || info?.version !== query.get('generation')) throw new Refusal('NOT_FOUND', key);
        return new Media(found.content);
      },
    });
    closers.push(() => served.stop());
    return served;
  }
});
