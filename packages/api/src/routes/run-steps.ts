import { instant } from '@serin/core/base/time';
import { courseReader, type StepTaken } from '@serin/core/model/run/course';
import type { Journal } from '@serin/core/ports/journal';
import * as z from 'zod';
import { partsTo } from '../audit.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { runId } from '../shapes.ts';

const step = z.object({
  step: z.string(),
  attempt: z.int(),
  from: z.string(),
  ran: z.string().optional(),
  to: z.string().optional(),
});

/** Of one run. Other entries of the model come in between. */
const mostEntries = 5000;

const logged = z.object({
  job: z.string(),
  attempt: z.int(),
  name: z.string(),
  points: z.array(z.object({ step: z.int(), at: z.string(), value: z.number() })),
});

export const runStepRoutes = ({ ports, logged: loggedOf }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/runs/{id}/steps',
    summary: 'when each attempt at a step of a run began, ran and ended',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: runId }),
    answers: {
      200: {
        description: 'oldest first; `from`: it was asked for, `ran`: it was first seen to run',
        schema: z.object({ run: z.string(), steps: z.array(step) }),
      },
    },
    async handle({ project, params }) {
      const { model, value } = await project.run(params.id);
      const steps = await stepsOf(ports.journal, `model/${model}`, value);
      return { status: 200, body: { run: value.id, steps: steps.map(stepView) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/runs/{id}/metrics',
    summary: 'what the jobs of a run logged while they ran, value by value',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: runId }),
    answers: {
      200: {
        description: 'by job and name, the oldest first; of many values some, evenly',
        schema: z.object({ run: z.string(), metrics: z.array(logged) }),
      },
    },
    problems: [501],
    async handle({ project, params }) {
      const { value } = await project.run(params.id);
      if (loggedOf === undefined)
        throw new Problem(
          'notImplemented',
          'this installation does not keep what jobs log while they run; look at the tracking server that they log to',
        );
      const metrics = loggedOf(value.id).map(({ points, ...rest }) => ({
        ...rest,
        points: points.map(({ at, ...point }) => ({ ...point, at: instant(at) })),
      }));
      return { status: 200, body: { run: value.id, metrics } };
    },
  }),
];

const stepView = ({ from, ran, to, ...rest }: StepTaken) => ({
  ...rest,
  from: instant(from),
  ...(ran === undefined ? {} : { ran: instant(ran) }),
  ...(to === undefined ? {} : { to: instant(to) }),
});

async function stepsOf(
  journal: Journal,
  stream: string,
  run: { readonly id: string; readonly startedAt: number },
): Promise<readonly StepTaken[]> {
  const reader = courseReader(run.id);
  const head = await journal.head(stream);
  if (head === undefined) return [];
  const first = await firstSince(journal, stream, head.seq, run.startedAt);
  const upTo = Math.min(head.seq, first + mostEntries);
  for await (const part of partsTo({ ...head, seq: upTo }, journal, first - 1)) {
    reader.take(part);
    if (reader.isOver) break;
  }
  return reader.steps;
}

/** The number of the first entry that is not older than a time: entries are in the order of their times. */
async function firstSince(journal: Journal, stream: string, last: number, since: number): Promise<number> {
  let [low, high] = [1, last];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [entry] = await journal.history(stream, middle + 1, 1);
    if (entry !== undefined && entry.at < since) low = middle + 1;
    else high = middle;
  }
  return low;
}
