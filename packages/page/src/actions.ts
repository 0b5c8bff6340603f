import { handIn } from '@serin/core/model/version';
import { action, becauseField } from './action.ts';
import type { Action } from './action-shape.ts';
import type { Caller } from './frame.ts';
import type { Html } from './views.ts';

/** The changes of a model and of its runs, versions and rollouts, each with its command and with why it cannot be done now. */

export interface By {
  readonly caller: Caller;
}
export type Button = Html | Promise<Html>;

/** A model, as far as its actions look at it. */
interface ModelNow {
  readonly model: string;
  readonly seq?: number;
  readonly champion?: number;
  readonly retired?: boolean;
  readonly freeze?: unknown;
  readonly frozen?: unknown;
  readonly rollout?: { readonly status: string; readonly candidate?: number } | undefined;
}

interface VersionNow {
  readonly number: number;
  readonly champion?: boolean;
  readonly approval?: { readonly status: string } | undefined;
  readonly quarantined?: { readonly because: string } | undefined;
  readonly lineage?: Readonly<Record<string, string>>;
}

const frozenText = 'the project is frozen; thaw it first';
export const isFrozen = ({ freeze, frozen }: ModelNow): boolean => freeze !== undefined || frozen !== undefined;
const versionPath = (model: string, number: number): string =>
  `/v1/models/${encodeURIComponent(model)}/versions/${number}`;

/** Approves an offered version. `holds`: the alerts that keep it from starting, in words. */
export function approve(
  by: By,
  model: ModelNow,
  version: VersionNow,
  { seen, holds }: { readonly seen?: string | undefined; readonly holds?: string | undefined } = {},
): Button {
  const { number, approval } = version;
  const isLet = approval?.status === 'approved' && holds !== undefined;
  return action(by, {
    label: isLet ? `Let v${number} start` : `Approve v${number}`,
    does: isLet
      ? `v${number} starts its rollout although an alert fires.`
      : `v${number} of ${model.model} may serve: its rollout starts as soon as nothing holds it.`,
    seen:
      [seen, holds === undefined ? undefined : `${holds} fires and holds it.`].filter(Boolean).join(' ') || undefined,
    path: `${versionPath(model.model, number)}/approve`,
    fields: [
      { name: 'note', label: 'Note', kind: 'long', option: '--note', hint: 'Recorded with the approval.' },
      ...(holds === undefined
        ? []
        : [
            {
              name: 'override',
              label: 'Why it may start although an alert fires',
              kind: 'long',
              option: '--override',
              isRequired: isLet,
            } as const,
          ]),
    ],
    command: `serin versions approve ${model.model} ${number}`,
    revision: model.seq,
    role: 'approver',
    tone: 'main',
    refused: isLet || approval?.status === 'pending' ? oneEyed(by, version) : notPending(version),
  });
}

export const reject = (by: By, model: ModelNow, version: VersionNow, seen?: string): Button =>
  action(by, {
    label: `Reject v${version.number}`,
    does: `v${version.number} of ${model.model} never serves. A new run may offer another version.`,
    seen,
    path: `${versionPath(model.model, version.number)}/reject`,
    fields: [{ name: 'note', label: 'Note', kind: 'long', option: '--note', hint: 'Recorded with the rejection.' }],
    command: `serin versions reject ${model.model} ${version.number}`,
    revision: model.seq,
    role: 'approver',
    tone: 'danger',
    refused: version.approval?.status === 'pending' ? undefined : notPending(version),
  });

/** The server refuses it too; it is said before somebody writes a note. */
function oneEyed({ caller }: By, { number, lineage }: VersionNow): string | undefined {
  const own = lineage?.fourEyes === undefined ? undefined : handIn({ number, lineage }, caller.name);
  return own === undefined ? undefined : `four eyes: you ${own}; somebody else has to approve it`;
}

const notPending = ({ number, approval }: VersionNow): string =>
  approval === undefined
    ? `v${number} was never offered: it did not pass its gate`
    : `v${number} is ${approval.status}`;

/** Offers a version again that was taken back, or whose turn passed. */
export const restore = (by: By, model: ModelNow, version: VersionNow): Button =>
  action(by, {
    label: `Restore v${version.number}`,
    does: `${version.quarantined === undefined ? '' : 'Lifts the quarantine. '}v${version.number} of ${model.model} is offered again and starts a new rollout.`,
    seen: version.quarantined === undefined ? undefined : `It was quarantined: ${version.quarantined.because}`,
    path: `${versionPath(model.model, version.number)}/restore`,
    fields: [{ ...becauseField, isRequired: true }],
    command: `serin versions restore ${model.model} ${version.number}`,
    revision: model.seq,
    role: 'approver',
    refused:
      version.champion === true || model.champion === version.number
        ? `v${version.number} is the champion`
        : isInRollout(model, version.number)
          ? `v${version.number} is in a rollout now`
          : version.approval?.status === 'approved'
            ? oneEyed(by, version)
            : `v${version.number} was never approved`,
  });

const isInRollout = ({ rollout }: ModelNow, number: number): boolean =>
  rollout?.candidate === number && !endedRollouts.includes(rollout.status);

/** Goes back to an earlier champion, or takes the rollout under way back. `candidates`: where it may go. */
export function rollback(
  by: By,
  model: ModelNow & {
    readonly lastGood?: readonly number[];
  },
  candidates: readonly number[] = model.lastGood ?? [],
): Button {
  const { champion, rollout } = model;
  const isMoving = rollout !== undefined && !endedRollouts.includes(rollout.status);
  const back = [...candidates].reverse().filter((number) => number !== champion);
  return action(by, {
    label: `Roll back ${model.model}`,
    does: isMoving
      ? 'All traffic goes back from the candidate of the rollout that is under way.'
      : `All traffic goes from v${champion ?? 0} to an earlier champion, and v${champion ?? 0} is quarantined. Restore it to offer it again.`,
    path: `/v1/models/${encodeURIComponent(model.model)}/rollback`,
    fields: [
      ...(isMoving || back.length === 0
        ? []
        : [
            {
              name: 'to',
              label: 'To',
              kind: 'choice',
              option: '--to',
              choices: [
                ['', `the last good one (v${back[0] ?? 0})`],
                ...back.map((n) => [String(n), `v${n}`] as const),
              ],
            } as const,
          ]),
      becauseField,
    ],
    command: `serin rollback ${model.model}`,
    revision: model.seq,
    role: 'operator',
    tone: 'danger',
    refused: isMoving || back.length > 0 ? undefined : 'there is no earlier champion to go back to',
  });
}

export const endedRollouts: readonly string[] = ['promoted', 'rolledBack', 'aborted'];
export const endedRuns: readonly string[] = ['succeeded', 'refused', 'failed', 'cancelled'];

/** A rollout, as far as its actions look at it. */
interface RolloutNow {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly candidate: number;
  readonly weight?: number;
}

interface Around {
  /** Of the rollout: what its `ETag` says. */
  readonly revision?: number | undefined;
  readonly isFrozen?: boolean;
  /** What the decision stands on, such as its counts; not what changes from moment to moment. */
  readonly seen?: string | undefined;
}

/** The changes of one rollout: promote, pause or resume, abort. */
export function rolloutActions(by: By, rollout: RolloutNow, around: Around = {}): readonly Button[] {
  const { status, candidate, model } = rollout;
  const of = `v${candidate} of ${model}`;
  const isWaiting = status === 'held' || status === 'paused';
  const verb = (name: keyof typeof takes, given: Pick<Action, 'label' | 'does' | 'tone' | 'refused'>): Button =>
    action(by, {
      ...given,
      seen: around.seen ?? `The rollout of ${of} is ${statusText(status)}.`,
      path: `/v1/rollouts/${rollout.id}/${name}`,
      fields: [becauseField],
      command: `serin rollouts ${name} ${rollout.id}`,
      revision: around.revision,
      role: 'operator',
      refused: given.refused ?? (takes[name].includes(status) ? undefined : notNow(name, status)),
    });
  return [
    verb('promote', {
      label: status === 'guarding' ? 'End the guard' : 'Promote now',
      does: `${of} gets all traffic now, whatever the evidence says.`,
      tone: 'main',
      refused: around.isFrozen === true ? frozenText : undefined,
    }),
    isWaiting
      ? verb('resume', { label: 'Resume', does: 'The step bakes again, and the judge decides.', tone: undefined })
      : verb('pause', {
          label: 'Pause',
          does: `The weight of ${of} stays where it is until you resume.`,
          tone: undefined,
        }),
    verb('abort', { label: 'Abort', does: `All traffic goes back from ${of}.`, tone: 'danger' }),
  ];
}

/** In which status each change means something (`packages/core/src/model/rollout/table.ts`). */
const takes = {
  promote: ['shifting', 'baking', 'paused', 'held', 'guarding'],
  pause: ['baking'],
  resume: ['paused', 'held'],
  abort: ['deploying', 'shifting', 'baking', 'paused', 'held', 'promoting', 'guarding'],
} satisfies Readonly<Record<string, readonly string[]>>;

const statusText = (status: string): string => (status === 'rolledBack' ? 'rolled back' : status);

const notNow = (verb: string, status: string): string =>
  endedRollouts.includes(status)
    ? `the rollout has ended: it was ${statusText(status)}`
    : `a rollout that is ${statusText(status)} does not take '${verb}'`;

export const cancelRun = (
  by: By,
  run: { readonly id: string; readonly model: string; readonly status: string },
  revision?: number,
): Button =>
  action(by, {
    label: 'Cancel the run',
    does: `The run ${run.id} of ${run.model} and its job are stopped.`,
    path: `/v1/runs/${run.id}/cancel`,
    command: `serin runs cancel ${run.id}`,
    revision,
    role: 'operator',
    tone: 'danger',
    refused: endedRuns.includes(run.status) ? `the run has ended: it ${endText(run.status)}` : undefined,
  });

const endText = (status: string): string => (status === 'succeeded' || status === 'failed' ? status : `was ${status}`);

export const startRun = (
  by: By,
  model: ModelNow & { readonly intake?: string | { readonly status: string; readonly dataset?: string } | undefined },
): Button =>
  action(by, {
    label: `Start a run of ${model.model}`,
    does: `${model.model} is trained on its newest dataset version. A run that is under way ends first.`,
    path: '/v1/runs',
    body: { model: model.model },
    fields: [
      { name: 'force', label: 'Although the same inputs were run before', kind: 'flag', option: '--force' },
      becauseField,
    ],
    command: `serin runs start ${model.model}`,
    role: 'operator',
    refused:
      model.retired === true
        ? 'the model left the config'
        : typeof model.intake === 'object' && model.intake.dataset === undefined
          ? 'there is no dataset version yet; drop data first'
          : undefined,
  });
