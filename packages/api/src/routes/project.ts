import { asFault } from '@serin/core/base/fault';
import { canonical, encodeText, sha256Hex } from '@serin/core/base/json';
import { durationText, instant } from '@serin/core/base/time';
import type { Secrets } from '@serin/core/base/variables';
import type { CompiledConfig } from '@serin/core/config/config';
import { partsOf } from '@serin/core/config/parts';
import { configKey } from '@serin/core/engine/stored';
import { ownBucket } from '@serin/core/ports/bucket';
import type { Project } from '@serin/core/project/project';
import * as z from 'zod';
import { codeDigests } from '../code-digests.ts';
import { pageQuery } from '../cursor.ts';
import type { Api } from '../options.ts';
import { Problem, type Wrong } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { because, instantText, outcome, signalAnswers, signalProblems } from '../shapes.ts';
import { paged, rowView } from '../views.ts';
import { told } from '../visible.ts';
import { blobsOf } from './buckets.ts';

const freeze = z.object({ by: z.string(), because: z.string(), until: z.string().optional() });
const status = z.object({
  project: z.string().optional(),
  environment: z.string(),
  revision: z.int(),
  config: z.object({ digest: z.string(), at: z.string(), by: z.string() }).optional(),
  freeze: freeze.optional(),
  clock: z.string().optional(),
  models: z.array(z.looseObject({ model: z.string() })),
  next: z.string().optional(),
});

export const projectRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/status',
    summary: 'the project and its models',
    role: 'viewer',
    scope: 'models',
    query: z.strictObject({ cursor: pageQuery.cursor }),
    answers: { 200: { description: 'the first 200 models', schema: status } },
    async handle(asked) {
      const head = await api.ports.journal.head('project');
      const { config, freeze: frozen, revision = 0 } = (head?.state ?? {}) as Partial<Project>; // written by the engine
      const { items, next } = await asked.project.names('model/', { ...asked.query, limit: 200 });
      const body = {
        environment: api.environment,
        revision,
        ...(config === undefined
          ? {}
          : { project: config.project, config: { digest: config.digest, at: instant(config.at), by: config.by } }),
        ...(frozen === undefined
          ? {}
          : { freeze: { ...frozen, ...(frozen.until === undefined ? {} : { until: instant(frozen.until) }) } }),
        ...clockOf(
          api,
          items.map(({ summary }) => Number(Object(summary).at)),
        ),
        models: items.map(({ summary }) => rowView(Object(summary))),
      };
      // Its models move without it, so an unchanged ETag is no reason to answer 304.
      const page = paged(asked, { body, next });
      return { ...page, headers: { ...page.headers, etag: `"${revision}"` } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/releases',
    summary: 'releases a compiled config; the code that it refers to must have been stored before',
    role: 'admin',
    scope: 'project',
    body: async () => z.strictObject({ config: (await import('@serin/core/config/compiled')).compiledConfig }),
    maxBytes: 16_000_000,
    answers: {
      200: { description: 'released already', schema: outcome.extend({ digest: z.string() }) },
      202: {
        description: 'committed; the models whose part changed are being told',
        schema: outcome.extend({ digest: z.string() }),
      },
    },
    problems: signalProblems,
    async handle(asked) {
      const { project, body, id } = asked;
      const { config } = body;
      refuseImpossible(api, config);
      await refuseMissingCode(api, config);
      const text = canonical(config);
      const digest = sha256Hex(text);
      await api.ports.bucket(ownBucket).write(configKey(digest), encodeText(text), { ifAbsent: true });
      const { project: name, concurrentRuns } = config;
      const signal = { type: 'releaseRequested', digest, project: name, concurrentRuns } as const;
      const answer = told(await project.tellProject(signal, id, asked), '/v1/status');
      return { ...answer, body: { ...Object(answer.body), digest } };
    },
  }),
  route({
    method: 'post',
    path: '/v1/freeze',
    summary: 'stops starts and promotions, never rollbacks',
    role: 'admin',
    scope: 'project',
    body: z.strictObject({ because, until: instantText.optional() }),
    answers: signalAnswers,
    problems: signalProblems,
    async handle(asked) {
      const { project, body, caller, id } = asked;
      const until = body.until === undefined ? undefined : Date.parse(body.until);
      if (until !== undefined && until <= api.now())
        throw new Problem('invalid', `the end of the freeze, ${body.until}, has already passed; choose a later one`);
      const ends = until === undefined ? {} : { until };
      const signal = {
        type: 'freezeRequested',
        freeze: { by: caller.actor.subject, because: body.because, ...ends },
      } as const;
      return told(await project.tellProject(signal, id, asked), '/v1/status');
    },
  }),
  route({
    method: 'delete',
    path: '/v1/freeze',
    summary: 'ends a freeze',
    role: 'admin',
    scope: 'project',
    answers: signalAnswers,
    problems: signalProblems,
    handle: async (asked) =>
      told(await asked.project.tellProject({ type: 'thawRequested' }, asked.id, asked), '/v1/status'),
  }),
];

/** Clocks of one place are off by less. */
const clockMarginMs = 10_000;

/** What the journal's time and the wall clock have to say to each other; nothing while they agree. */
function clockOf({ now, wall }: Api, newest: readonly number[]): { readonly clock?: string } {
  const ahead = Math.max(now(), ...newest) - wall();
  if (Math.abs(ahead) <= clockMarginMs) return {};
  const where = `${durationText(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'}`;
  return {
    clock: `the journal's time is ${where} the wall clock, which was set: spans are measured rightly all the same, and the two come together by 36 seconds an hour; times of day are off until then`,
  };
}

/** What the platform cannot do is said before anything is started there. */
function refuseImpossible(api: Api, config: CompiledConfig): void {
  const { platform } = api;
  const problems = [...api.problemsOf(config), ...missingSecrets(config, api.secretOf)];
  if (problems.length === 0) return;
  const errors = problems.map(({ path, message }) => ({
    pointer: `/config/${path.replaceAll('.', '/')}`,
    detail: message,
  }));
  const where = platform === 'local' ? 'one machine' : platform;
  const what = problems.length === 1 ? 'one thing' : `${problems.length} things`;
  throw new Problem('invalid', `${where} cannot do ${what} that this config asks for; correct what errors names`, {
    errors,
  });
}

/** Secrets that are not there now: found at the release, and not by the first job or sink that wants one. */
function missingSecrets(config: CompiledConfig, secretOf: Secrets | undefined) {
  if (secretOf === undefined) return [];
  return Object.entries(config.models).flatMap(([model, plan]) =>
    [
      ...partsOf(plan).map(({ path, program }) => ({ path: `${path}.environment`, variables: program.environment })),
      ...(plan.notify ?? []).map(({ settings }, at) => ({ path: `notify.${at}.settings`, variables: settings })),
    ].flatMap(({ path, variables }) =>
      Object.entries(variables).flatMap(([variable, value]) => {
        try {
          if (typeof value !== 'string') secretOf(value.secret);
          return [];
        } catch (error) {
          return [{ path: `models.${model}.${path}.${variable}`, message: asFault(error).message }];
        }
      }),
    ),
  );
}

async function refuseMissingCode(api: Api, config: CompiledConfig): Promise<void> {
  const missing: Wrong[] = [];
  const own = api.ports.bucket(ownBucket);
  for (const digest of codeDigests(config)) {
    const blobs = await blobsOf(api, digest);
    if (blobs === undefined)
      missing.push({ pointer: '/config', detail: `code/${digest}.json is not in the bucket '${ownBucket}'` });
    for (const blob of blobs ?? []) {
      const key = `code/blobs/${blob}`;
      if ((await own.read({ key, maxBytes: 1 })) === undefined)
        missing.push({
          pointer: '/config',
          detail: `${key}, of code/${digest}.json, is not in the bucket '${ownBucket}'`,
        });
    }
  }
  if (missing.length > 0)
    throw new Problem(
      'invalid',
      `the config refers to code that is not stored; release with 'serin release': ${missing[0]?.detail}`,
      {
        errors: missing.slice(0, 50),
      },
    );
}
