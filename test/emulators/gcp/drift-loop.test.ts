import { endpointName } from '@serin/gcp/names';
import { expect } from 'vitest';
import { type DriftLoop, driftLoopContract, driftModels } from '../drift-loop.contract.ts';
import { emulatedGcp } from '../emulated.ts';
import { installation } from '../loop.contract.ts';
import { openMishaps } from '../mishaps.ts';
import type { LoggedRow } from './fake-bigquery.ts';
import { deployed, googleProject, names } from './functions-world.ts';
import { openLoop } from './open-loop.ts';

const table = `${googleProject}.${deployed.captures.dataset}.${deployed.captures.table}`;

async function openDriftLoop(): Promise<DriftLoop> {
  const mishaps = openMishaps();
  const logged: LoggedRow[] = [];
  const loop = await openLoop({ models: driftModels, told: 2, mishaps, logged });
  const { world } = loop;
  const { google, bigquery, endpoints, jobs, roles } = world;

  /** What Vertex AI logs of every request to an endpoint, if it was told to. */
  function rowOf(model: string, at: number): Pick<LoggedRow, 'endpoint' | 'deployed_model_id' | 'logging_time'> {
    const endpoint = endpointName(installation, model);
    const { body, split } = endpoints.endpointAt(endpoint);
    const { enabled, samplingRate, bigqueryDestination } = Object(body.predictRequestResponseLoggingConfig);
    if (enabled !== true || samplingRate !== 1 || bigqueryDestination?.outputUri !== `bq://${table}`)
      throw new Error(`${model} is not captured: ${JSON.stringify(body)}`);
    const place = `projects/123456789012/locations/europe-west4/endpoints/${endpoint}`;
    return { endpoint: place, deployed_model_id: Object.keys(split)[0] ?? null, logging_time: at };
  }

  return {
    ...loop,
    ...{ mishaps, now: world.now },
    put: async (key, content) => google.storage.put(names.drops, key, Buffer.from(content)),
    async keep(model, exchanges) {
      for (const { at, body, answer } of exchanges)
        logged.push({
          ...{ ...rowOf(model, at), request_id: String(logged.length) },
          request_payload: body.instances.map((instance) => JSON.stringify(instance)),
          response_payload: answer.predictions.map(String),
        });
    },
    async spoil(model, at) {
      logged.push({ ...rowOf(model, at), request_id: null, request_payload: [], response_payload: [] });
    },
    announced: () =>
      (google.published.get(names.bus) ?? []).map(({ data = '' }) =>
        JSON.parse(Buffer.from(data, 'base64').toString()),
      ),
    jobsOf: (model) =>
      jobs.jobs.flatMap(({ labels }) => (labels?.serin_model === model ? [labels.serin_kind ?? ''] : [])),
    async close() {
      await loop.close();
      expect(bigquery.asked.filter((sql) => !sql.includes(`FROM \`${table}\``))).toEqual([]);
    },
    refused: roles.refused,
    done: roles.done,
  };
}

emulatedGcp('the loop of drift on Google Cloud', () => {
  driftLoopContract(openDriftLoop, {
    needs: [
      /^signals bigquery\.jobs\.create project$/,
      /^signals bigquery\.tables\.getData dataset$/,
      /^signals storage\.objects\.create \S+ drift$/,
      /^signals storage\.objects\.create \S+ profiles$/,
      /^signals storage\.objects\.create \S+ references$/,
      /^signals storage\.objects\.create \S+ reports$/,
      /^api storage\.objects\.get \S+ reports$/,
      /^api storage\.objects\.create \S+ labels$/,
      /^signals storage\.objects\.create \S+ labels$/,
    ],
  });
});
