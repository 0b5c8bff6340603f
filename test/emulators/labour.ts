import { outputFolder } from '@serin/platform/jobs/layout';
import { saidIn } from '@serin/platform/jobs/said';
import { type Failing, type Loop, type UserRequest, usersOf } from './loop.contract.ts';

const minute = 60_000;
/** From its creation to its end; in between it is in progress. */
const jobMs = 3 * minute;

/** A job that was asked for. */
interface Asked {
  readonly id: string;
  readonly kind: string | undefined;
  readonly model: string | undefined;
  readonly createdAt: number;
  /** What its start script is told, as text. */
  readonly said: string | undefined;
}

/** A cloud whose jobs leave files in a folder of their own, as far as work is done there. */
interface Workshop {
  now(): number;
  pass(ms: number): Promise<void>;
  jobs(): readonly Asked[];
  /** A job has written a file, by its path in the folder. */
  leave(id: string, path: string, content: string): unknown;
  /** It is over, and has run since then. */
  end(id: string, startedAt: number): void;
  /** What the cloud tells of it, if it tells anything. */
  tell(id: string): unknown;
  /** Of the endpoint of a model, by our names. */
  weights(model: string): readonly (readonly [deployment: string, weight: number])[];
  /** A request to a model that the cloud counts. */
  count(model: string, request: UserRequest): void;
}

/**
 * The other side of the world: jobs do their work and end, of which every second is told and all others are not, and
 * users send requests to whatever serves. Of a model that hangs nothing is counted, which is the worst that may happen.
 */
export function labour(shop: Workshop, models: readonly string[], told = 1) {
  const over = new Set<string>();
  const state: Loop['work'] & Pick<Loop, 'minute' | 'pass'> = {
    nextMape: 0.1,
    mapes: {},
    failing: undefined as Failing | undefined,
    minute: () => state.pass(minute),
    async pass(ms) {
      await shop.pass(ms);
      for (const job of shop.jobs()) if (!over.has(job.id) && shop.now() - job.createdAt >= jobMs) await finish(job);
      for (const model of models)
        for (const request of usersOf(shop.weights(model), shop.now(), state.failing))
          if (request.ended !== 'never') shop.count(model, request);
    },
  };

  async function finish({ id, kind, model = '', said }: Asked): Promise<void> {
    over.add(id);
    for (const output of saidIn(said).outputs)
      await shop.leave(id, `${outputFolder(output)}/${output === 'model' ? 'model.bin' : 'rows.csv'}`, `of ${id}`);
    if (kind === 'evaluate')
      await shop.leave(
        id,
        `${outputFolder('output')}/metrics.json`,
        JSON.stringify({ mape: state.mapes[model] ?? state.nextMape }),
      );
    shop.end(id, shop.now() - 2 * minute);
    if (over.size % 2 === 0) for (let time = 0; time < told; time += 1) await shop.tell(id);
  }

  return state;
}
