import { Fault } from '@serin/core/base/fault';
import { versionOf } from '@serin/core/model/version';
import { type Why, whyModel, whyRollout, whyRun, whyVersion } from '@serin/core/model/why';
import * as z from 'zod';
import { type Named, onlyOne } from '../beginnings.ts';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { why } from '../shapes.ts';
import type { Visible } from '../visible.ts';

export const whyRoutes = ({ now }: Pick<Api, 'now'>): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/why/{id}',
    summary:
      'why a model, version (<model>@<number>, or v<number> where there is one model), run or rollout is as it is, in one line with its numbers; of an id a beginning is enough',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: z.string().min(1).max(100) }),
    answers: { 200: { description: 'the sentence, its numbers, and how it came to be', schema: why } },
    handle: async ({ project, params }) => ({ status: 200, body: await explain(project, params.id, now()) }),
  }),
];

async function explain(project: Visible, given: string, now: number): Promise<Why> {
  const { kind, id } = (await ofId(project, given)) ?? {};
  if (kind === 'run') {
    const { value, model } = await project.run(id ?? given);
    return whyRun(value, model);
  }
  if (kind === 'rollout') {
    const { value, model } = await project.rollout(id ?? given);
    return whyRollout(value, model);
  }
  const [name = '', number] = (await withModel(project, given)).split('@');
  const { state } = await project.model(name);
  if (number === undefined) return whyModel(state, now);
  const version = versionOf(state.versions, /^v?\d{1,9}$/.test(number) ? Number(number.replace('v', '')) : undefined);
  if (version === undefined)
    throw new Fault(
      'notFound',
      `there is no version '${number}' of ${name}; name one of 'serin versions list ${name}'`,
    );
  return whyVersion(version, state, now);
}

/** The run or rollout that is meant. A bare beginning of an id is one of digits first, as no name of a model is. */
async function ofId(project: Visible, given: string): Promise<Partial<Named> | undefined> {
  if (given.startsWith('run_')) return { kind: 'run' };
  if (given.startsWith('ro_')) return { kind: 'rollout' };
  return /^\d[0-9a-f]{3,31}$/.test(given) ? project.identify(given, ['run', 'rollout']) : undefined;
}

/** `v5` as `fraud@v5` where `fraud` is the only model; of several the caller has to say which. */
async function withModel(project: Visible, given: string): Promise<string> {
  if (!/^v\d{1,9}$/.test(given)) return given;
  const modelOf = ({ summary }: { readonly summary: unknown }) => String(Object(summary).model);
  const [named] = (await project.names(`model/${given}`, { limit: 1 })).items;
  if (named !== undefined && modelOf(named) === given) return given;
  const { items, next } = await project.names('model/', { limit: 5 });
  const nameOf = (model: string) => `${model}@${given.slice(1)}`;
  const model = onlyOne(given, items.map(modelOf), nameOf, next !== undefined);
  return model === undefined ? given : nameOf(model);
}
