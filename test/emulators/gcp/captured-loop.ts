import { endpointName } from '@serin/gcp/names';
import { expect } from 'vitest';
import { type CapturedLoop, capturedModels } from '../captured.ts';
import { installation } from '../loop.contract.ts';
import { openMishaps } from '../mishaps.ts';
import type { LoggedRow } from './fake-bigquery.ts';
import { deployed, googleProject, names } from './functions-world.ts';
import { openLoop } from './open-loop.ts';

const table = `${googleProject}.${deployed.captures.dataset}.${deployed.captures.table}`;

/** The loop of which the cloud keeps copies of requests as it was told; each thing that happens is told twice. */
export async function openCapturedLoop(): Promise<CapturedLoop> {
  const mishaps = openMishaps();
  const logged: LoggedRow[] = [];
  const loop = await openLoop({ models: capturedModels, told: 2, mishaps, logged });
  const { world } = loop;
  const { google, bigquery, endpoints, jobs, roles } = world;

  /** What Vertex AI logs of every request to an endpoint, if it was told to. */
  function rowOf(
    model: string,
    at: number,
    deployment = `v${Object.keys(endpoints.endpointAt(endpointName(installation, model)).split)[0]}`,
  ): Pick<LoggedRow, 'endpoint' | 'deployed_model_id' | 'logging_time'> {
    const endpoint = endpointName(installation, model);
    const { body } = endpoints.endpointAt(endpoint);
    const { enabled, samplingRate, bigqueryDestination } = Object(body.predictRequestResponseLoggingConfig);
    if (enabled !== true || samplingRate !== 1 || bigqueryDestination?.outputUri !== `bq://${table}`)
      throw new Error(`${model} is not captured: ${JSON.stringify(body)}`);
    const place = `projects/123456789012/locations/europe-west4/endpoints/${endpoint}`;
    return { endpoint: place, deployed_model_id: deployment.replace(/^v/, ''), logging_time: at };
  }

  return {
    ...loop,
    ...{ mishaps, now: world.now },
    put: async (key, content) => google.storage.put(names.drops, key, Buffer.from(content)),
    async keep(model, exchanges) {
      for (const { at, body, answer, deployment } of exchanges)
        logged.push({
          ...{ ...rowOf(model, at, deployment), request_id: String(logged.length) },
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
