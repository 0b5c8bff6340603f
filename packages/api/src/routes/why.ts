import { Fault } from '@serin/core/base/fault';
import { versionOf } from '@serin/core/model/version';
import { type Why, whyModel, whyRollout, whyRun, whyVersion } from '@serin/core/model/why';
import * as z from 'zod';
import type { Api } from '../options.ts';
import { type Route, route } from '../route.ts';
import { why } from '../shapes.ts';
import type { Visible } from '../visible.ts';

export const whyRoutes = ({ now }: Pick<Api, 'now'>): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/why/{id}',
    summary: 'why a model, version (<model>@<number>), run or rollout is as it is, in one line with its numbers',
    role: 'viewer',
    scope: 'models',
    params: z.object({ id: z.string().min(1).max(100) }),
    answers: { 200: { description: 'the sentence, its numbers, and how it came to be', schema: why } },
    handle: async ({ project, params }) => ({ status: 200, body: await explain(project, params.id, now()) }),
  }),
];

async function explain(project: Visible, id: string, now: number): Promise<Why> {
  if (id.startsWith('run_')) {
    const { value, model } = await project.run(id);
    return whyRun(value, model);
  }
  if (id.startsWith('ro_')) {
    const { value, model } = await project.rollout(id);
    return whyRollout(value, model);
  }
  const [name = '', number] = id.split('@');
  const { state } = await project.model(name);
  if (number === undefined) return whyModel(state, now);
  const version = versionOf(state.versions, /^v?\d{1,9}$/.test(number) ? Number(number.replace('v', '')) : undefined);
  if (version === undefined)
    throw new Fault(
      'notFound',
      `there is no version '${number}' of ${name} any more; name one of 'serin versions list ${name}'`,
    );
  return whyVersion(version, state, now);
}
