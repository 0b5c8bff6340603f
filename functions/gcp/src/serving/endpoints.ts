import { recentAnswers } from '@serin/platform/recent';
import type { Google } from '../calls/google.ts';
import { locationPath, type VertexPlace } from '../calls/vertex.ts';
import { ifThere } from '../faults.ts';
import type { Logging } from './captured.ts';

/** An endpoint of Vertex AI, as far as it is read. */
export interface Endpoint {
  readonly etag?: string;
  readonly predictRequestResponseLoggingConfig?: Logging;
  /** Percent by the id of a deployed model; one that is not there gets nothing. */
  readonly trafficSplit?: Readonly<Record<string, number>>;
  readonly deployedModels?: readonly {
    readonly id: string;
    readonly model?: string;
    readonly status?: { readonly message?: string };
  }[];
}

export interface Deployed {
  /** Vertex AI's id of the deployed model, by which its metrics are told apart. */
  readonly id: string;
  /** The deployment's own name. */
  readonly name: string;
  /** Percent of the requests, now. */
  readonly weight: number;
  /** What Vertex AI remarks on how it runs. */
  readonly says?: string;
}

/** What Vertex AI says of endpoints; `undefined` of one that does not exist. */
export interface Endpoints {
  /** Asked now. */
  describe(name: string): Promise<Endpoint | undefined>;
  /** At most half a minute old: for metrics, which are of the past anyway. */
  described(name: string): Promise<Endpoint | undefined>;
}

interface Options extends VertexPlace {
  readonly google: Google;
  readonly now: () => number;
}

export function vertexEndpoints({ google, now, ...place }: Options): Endpoints {
  const ask = (name: string): Promise<Endpoint | undefined> =>
    ifThere(`looking at the endpoint ${name}`, () =>
      google.json<Endpoint>({ service: 'aiplatform', method: 'GET', path: `${locationPath(place)}/endpoints/${name}` }),
    );
  const { askedNow, saidLately } = recentAnswers({ ask, keptMs: 30_000, now });
  return { describe: askedNow, described: saidLately };
}

/** The deployments of an endpoint. The id of a deployed model is the number of its version, chosen by `deploy`. */
export const deployedIn = ({ deployedModels = [], trafficSplit = {} }: Endpoint): readonly Deployed[] =>
  deployedModels.map(({ id, status }) => ({
    ...{ id, name: nameOfId(id), weight: trafficSplit[id] ?? 0 },
    ...(status?.message ? { says: status.message } : {}),
  }));

export const nameOfId = (id: string): string => `v${id}`;
export const idOfName = (name: string): string => name.replace(/^v/, '');
