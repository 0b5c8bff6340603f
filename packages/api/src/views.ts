import { instant } from '@serin/core/base/time';
import { heldBy } from '@serin/core/model/between/offer';
import { intakeText } from '@serin/core/model/intake/intake';
import type { Firing } from '@serin/core/model/monitor/monitor';
import { waitsText } from '@serin/core/model/monitor/rule';
import { standingOf } from '@serin/core/model/rollout/standing';
import { candidateWeight, type Rollout } from '@serin/core/model/rollout/state';
import type { Run } from '@serin/core/model/run/state';
import type { Model } from '@serin/core/model/state';
import type { Version } from '@serin/core/model/version';
import { versionState } from '@serin/core/model/version-state';
import { Problem } from './problem.ts';
import type { Answer, Asked } from './route.ts';

/** States as people and tools read them: times as RFC 3339, no values of environments, nothing that only the core needs. */

export function modelView({ plan, ...model }: Model, seq: number, now: number) {
  return shown({
    model: model.model,
    seq,
    at: instant(model.at),
    revision: model.revision,
    champion: model.champion,
    offered: model.offered?.version,
    retired: model.retired,
    freeze: model.freeze,
    intake: {
      status: model.intake.status,
      text: intakeText(model.intake, now),
      dataset: model.intake.dataset?.digest,
    },
    run: model.run === undefined ? undefined : { id: model.run.id, status: model.run.status },
    queued: model.queued?.trigger.kind,
    superseded: model.superseded,
    skipped: model.skipped,
    rollout: model.rollout === undefined ? undefined : { id: model.rollout.id, status: model.rollout.status },
    endpoint: {
      status: model.endpoint.status,
      weights: model.endpoint.weights,
      because: 'because' in model.endpoint ? model.endpoint.because : undefined,
    },
    monitor: {
      status: model.monitor.status,
      alerts: Object.values(model.monitor.alerts).map((firing) => firingView(firing, { ...model, plan }, now)),
      holds: heldBy({ ...model, plan }).length > 0 ? model.offered?.version : undefined,
    },
    lastGood: model.lastGood,
    plan,
  });
}

/** `next`: what one that waits will do, and when. */
function firingView(firing: Firing, model: Model, now: number) {
  const { at, heardAt: _, until, champion: __, ...alert } = firing;
  const waits = until === undefined ? {} : { until: instant(until), next: waitsText(model, firing, now) };
  return { ...alert, since: instant(at), ...waits };
}

export const versionView = (whole: Version, model: Model) => {
  const { serve: _, evaluate: __, holdout: ___, ...version } = whole;
  return shown({
    model: model.model,
    ...version,
    at: instant(version.at),
    champion: model.champion === version.number,
    state: versionState(whole, model),
  });
};

export const runView = ({ plan, ...run }: Run, model: string) =>
  shown({
    ...run,
    model,
    ...timesOf(run),
    began: run.began && Object.fromEntries(Object.entries(run.began).map(([step, at]) => [step, instant(at)])),
    plan,
  });

export const rolloutView = (rollout: Rollout, model: string) =>
  shown({
    ...rollout,
    model,
    ...timesOf(rollout),
    weight: candidateWeight(rollout),
    because:
      'because' in rollout ? (typeof rollout.because === 'string' ? rollout.because : rollout.because.text) : undefined,
    standing: standingOf(rollout),
    story: rollout.story.map(({ at, text }) => ({ at: instant(at), text })),
  });

const timesOf = (record: object & { readonly startedAt: number }) => ({
  startedAt: instant(record.startedAt),
  ...('endedAt' in record && typeof record.endedAt === 'number' ? { endedAt: instant(record.endedAt) } : {}),
});

/** The row of a run or rollout in a list. */
export const rowView = (summary: Readonly<Record<string, unknown>>) => ({
  ...summary,
  ...Object.fromEntries(
    ['startedAt', 'endedAt', 'at'].flatMap((field) =>
      typeof summary[field] === 'number' ? [[field, instant(summary[field])]] : [],
    ),
  ),
});

/** What may hold a key: the variables of programs, and the settings of sinks. */
const namesOnly: readonly string[] = ['environment', 'settings'];

/** As JSON; of what may hold a key, only the names. */
export function shown(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, part: unknown) =>
      namesOnly.includes(key) && typeof part === 'object' && part !== null ? Object.keys(part) : part,
    ),
  );
}

/** Answers with the revision as `ETag`, or that the caller has it already. */
export function revised(
  asked: Pick<Asked<unknown, unknown, unknown>, 'header'>,
  revision: number,
  body: unknown,
): Answer {
  const headers = { etag: `"${revision}"` };
  return etagsOf(asked.header('if-none-match')).includes(String(revision))
    ? { status: 304, headers }
    : { status: 200, body, headers };
}

/** A request that may say in `If-Match` what it was decided on. */
export type Conditional = Pick<Asked<unknown, unknown, unknown>, 'header'>;

/** Refuses a change that was decided on an older revision. */
export function onlyIf(asked: Conditional, revision: number): void {
  const wanted = etagsOf(asked.header('if-match'));
  if (wanted.length === 0 || wanted.includes('*') || wanted.includes(String(revision))) return;
  throw new Problem(
    'preconditionFailed',
    `the resource has changed to revision ${revision}; read it again, then decide`,
  );
}

/** `"12", W/"13"` as `12` and `13`. */
const etagsOf = (header: string | undefined): readonly string[] =>
  header === undefined
    ? []
    : header.split(',').map((tag) =>
        tag
          .trim()
          .replace(/^W\//, '')
          .replace(/^"(.*)"$/, '$1'),
      );

/** A page with its `next` in the body and as a `Link`. */
export function paged(
  asked: Pick<Asked<unknown, unknown, unknown>, 'path'> & { readonly query: unknown },
  page: { readonly body: Readonly<Record<string, unknown>>; readonly next?: string | undefined },
  parameter = 'cursor',
): Answer {
  const { body, next } = page;
  if (next === undefined) return { status: 200, body };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked.query as Readonly<Record<string, unknown>>))
    if (value !== undefined && name !== parameter) query.set(name, String(value));
  query.set(parameter, next);
  return { status: 200, body: { ...body, next }, headers: { link: `<${asked.path}?${query}>; rel="next"` } };
}
