import { nextCron } from '../../base/cron.ts';
import { notData } from '../../base/data-files.mjs';
import { digestOf } from '../../base/json.ts';
import { countText } from '../../base/numbers.ts';
import { defined } from '../../base/objects.ts';
import type { Table } from '../../base/table.ts';
import { durationText, minute } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import type { LeftOut } from '../../ports/bucket.ts';
import type { Effect, ModelSignal } from '../protocol.ts';
import type { DatasetVersion, ListingProgress } from './protocol.ts';

type Cause = 'data' | 'rescan' | 'schedule' | 'drift';

interface Base {
  /** The newest dataset version. */
  readonly dataset?: DatasetVersion;
  /** Why the last look made no new dataset version. */
  readonly note?: string;
  /** What the last look found under the prefix that is not data. */
  readonly leftOut?: readonly LeftOut[];
  /** Names the write of the marker or manifest that was used up: it releases one drop, once. */
  readonly released?: string;
  readonly rescanAt: number;
  readonly scheduleAt?: number;
  /** What a finished listing asks for; a rule between the machines starts the run and takes this away. */
  readonly wants?: Cause;
}

/** From a hint of new data to an immutable dataset version. A status names what is waited for. */
export type Intake =
  | (Base & { readonly status: 'idle' })
  | (Base & { readonly status: 'settling'; readonly since: number; readonly quietUntil: number })
  | (Base & {
      readonly status: 'listing';
      readonly cause: Cause;
      readonly since: number;
      readonly part: number;
      readonly progress?: ListingProgress;
      /** A hint came while listing: look again afterwards. */
      readonly again?: true;
    });

export interface IntakeContext {
  readonly model: string;
  readonly plan: ModelPlan;
}

type Context = IntakeContext;

export const intakeStart = (at: number, { plan }: Context): Intake =>
  planIntake({ status: 'idle', rescanAt: at }, at, plan);

/** The same intake under another plan: the clock of rescans and schedules starts anew. */
export function planIntake(intake: Intake, at: number, plan: ModelPlan): Intake {
  const { scheduleAt: _, ...rest } = intake;
  const schedule = plan.on.schedule;
  return {
    ...rest,
    rescanAt: Math.min(intake.rescanAt, at + plan.data.rescan),
    ...(schedule === undefined ? {} : { scheduleAt: nextCron(schedule.cron, schedule.zone, at) }),
  };
}

export const intakeTable: Table<Intake, ModelSignal, Context> = {
  idle: {
    dataHinted: (intake, { keys, at }, context) => {
      const { plan } = context;
      if (!plan.on.data) return intake;
      const meaning = meaningOf(keys, plan);
      if (meaning === 'nothing') return intake;
      if (meaning === 'look') return listing(intake, 'data', at);
      return {
        ...intake,
        status: 'settling',
        since: at,
        quietUntil: at + Math.min(plan.data.settle.quiet, plan.data.settle.atMost),
      };
    },
    clockTicked: (intake, { at }, { plan }) => {
      const schedule = plan.on.schedule;
      if (schedule !== undefined && intake.scheduleAt !== undefined && at >= intake.scheduleAt) {
        // Missed ticks become one run: the next time is counted from now.
        return listing({ ...intake, scheduleAt: nextCron(schedule.cron, schedule.zone, at) }, 'schedule', at);
      }
      return at >= intake.rescanAt ? listing(intake, 'rescan', at) : intake;
    },
    listingAdvanced: 'ignore',
    effectRefused: 'ignore',
  },
  settling: {
    dataHinted: (intake, { keys, at }, { plan }) => {
      if (keys.includes(gateKey(plan) ?? '')) return listing(intake, 'data', at);
      if (onlyMarkers(keys, plan)) return intake;
      const { quiet, atMost } = plan.data.settle;
      const quietUntil = Math.min(at + quiet, intake.since + atMost);
      // A drop of 10,000 files is a few commits: only a move by more than a quarter of the quiet period is worth one.
      return quietUntil - intake.quietUntil > quiet / 4 ? { ...intake, quietUntil } : intake;
    },
    clockTicked: (intake, { at }) => (at >= intake.quietUntil ? listing(intake, 'data', at) : intake),
    listingAdvanced: 'ignore',
    effectRefused: 'ignore',
  },
  listing: {
    dataHinted: (intake, { keys }, { plan }) => {
      // A drop without its last object is not complete, also if objects of an earlier drop are left.
      return intake.again || meaningOf(keys, plan) === 'nothing' ? intake : { ...intake, again: true };
    },
    clockTicked: 'ignore',
    listingAdvanced: (intake, { at, progress, dataset }, context) => {
      if (progress.cursor !== undefined) return { ...intake, part: intake.part + 1, progress };
      return endListing(intake, at, progress, dataset, context);
    },
    effectRefused: (intake, { at, because }, { plan }) =>
      idleAgain(intake, at, plan, {
        note: `the listing failed: ${because}`,
        rescanAt: at + Math.min(plan.data.rescan, 15 * minute),
        ...askedOf(intake),
      }),
  },
};

/** What the intake owes while it waits. */
export function intakeOwes(intake: Intake, _now: number, { model, plan }: Context): readonly Effect[] {
  if (intake.status !== 'listing') return [];
  const { bucket, prefix, settle } = plan.data;
  return [
    {
      key: `intake/list/${intake.since}.${intake.part}`,
      kind: 'list',
      model,
      bucket,
      prefix,
      ...(settle.marker === undefined ? {} : { marker: prefix + settle.marker }),
      ...(settle.manifest === undefined ? {} : { manifest: prefix + settle.manifest }),
      ...(intake.progress === undefined ? {} : { progress: intake.progress }),
    },
  ];
}

export function intakeWakes(intake: Intake): number | undefined {
  if (intake.status === 'settling') return intake.quietUntil;
  if (intake.status === 'listing') return undefined;
  return Math.min(intake.rescanAt, intake.scheduleAt ?? Number.POSITIVE_INFINITY);
}

/**
 * What new keys mean: none named, anything may have come. A manifest may come first, so every file after it counts.
 * Names of objects that are not data say nothing.
 */
function meaningOf(keys: readonly string[], plan: ModelPlan): 'look' | 'settle' | 'nothing' {
  const gate = gateKey(plan);
  if (gate !== undefined && (keys.length === 0 || keys.includes(gate))) return 'look';
  if (onlyMarkers(keys, plan)) return 'nothing';
  if (gate === undefined) return 'settle';
  return plan.data.settle.manifest === undefined ? 'nothing' : 'settle';
}

/** By their names: of what size they are a hint does not say. */
function onlyMarkers(keys: readonly string[], { data }: ModelPlan): boolean {
  const isData = (key: string): boolean => notData(key, 0, data.prefix) === 'empty';
  return keys.length > 0 && !keys.some(isData);
}

/** The object whose arrival says that a drop is complete, where the config names one. */
function gateKey({ data }: ModelPlan): string | undefined {
  const last = data.settle.marker ?? data.settle.manifest;
  return last === undefined ? undefined : data.prefix + last;
}

function listing(intake: Intake, cause: Cause, at: number): Intake {
  const { dataset, released, rescanAt, scheduleAt, wants } = intake;
  return {
    status: 'listing',
    cause,
    since: at,
    part: 0,
    ...defined({ dataset, released, scheduleAt, wants }),
    rescanAt,
  };
}

/**
 * Drift asks for a run. Where nobody tells of new data, what came since the last look is looked for first: the data that
 * the champion knows already would train it again. `undefined`: there is nothing to wait for.
 */
export const lookForDrift = (intake: Intake, at: number, { on }: ModelPlan): Intake | undefined =>
  on.data || intake.status !== 'idle' ? undefined : listing(intake, 'drift', at);

type Listing = Extract<Intake, { status: 'listing' }>;

function endListing(
  intake: Listing,
  at: number,
  progress: ListingProgress,
  dataset: DatasetVersion | undefined,
  { plan }: Context,
): Intake {
  const { minObjects, minBytes } = plan.data;
  const leftOut = progress.leftOut === undefined ? {} : { leftOut: progress.leftOut };
  const skip = (note: string, more: Partial<Listing> = {}): Intake =>
    idleAgain({ ...intake, ...more }, at, plan, { note, ...leftOut, ...askedOf(intake) });
  const isSame = dataset !== undefined && dataset.digest === intake.dataset?.digest;
  const gate = gateKey(plan);
  const waits =
    gate === undefined || (isSame && progress.complete) ? undefined : waitsFor(gate, intake, progress, plan);
  if (waits !== undefined) return skip(waits.note, waits.again ? { again: true } : {});
  const used = progress.gate === undefined ? {} : { released: releaseOf(progress.gate, plan) };
  if (dataset === undefined || progress.objects < minObjects)
    return skip(`${progress.objects} objects, of at least ${minObjects}`, used);
  if (progress.bytes < minBytes) return skip(`${progress.bytes} bytes, of at least ${minBytes}`, used);
  if (isSame) return skip(`${nothingNew}: the same ${datasetText(dataset, ' as ')}`, used);
  return idleAgain({ ...intake, ...used, dataset }, at, plan, { wants: intake.cause, ...leftOut });
}

/** Who asked for a run and not for news of data has an answer also where the look found nothing. */
const askedOf = ({ cause, dataset }: Listing): Pick<Intake, 'wants'> =>
  dataset !== undefined && (cause === 'schedule' || cause === 'drift') ? { wants: cause } : {};

const nothingNew = 'nothing new';

/** What a drop that is not whole still lacks; `undefined`: its marker or manifest releases it. */
function waitsFor(
  gate: string,
  { released }: Intake,
  { complete, gate: found, missing }: ListingProgress,
  plan: ModelPlan,
): { readonly note: string; readonly again?: true } | undefined {
  if (missing !== undefined)
    return { note: `waits for ${missing.map((key) => `'${key}'`).join(', ')}, which '${gate}' names` };
  if (complete)
    return found === undefined || releaseOf(found, plan) !== released
      ? undefined
      : { note: `waits for '${gate}' to be written again: it was used up by the drop before` };
  if (found === undefined) return { note: `waits for '${gate}'` };
  return { note: `'${gate}' was written again, or went away, while the files were listed`, again: true };
}

/** A marker that said yes to too little may say yes again when less is asked for. */
const releaseOf = (gate: string, { data }: ModelPlan): string => digestOf([gate, data.minObjects, data.minBytes]);

/** Back to waiting; straight to settling when a hint came meanwhile. */
function idleAgain(
  intake: Listing,
  at: number,
  plan: ModelPlan,
  more: Partial<Pick<Intake, 'note' | 'leftOut' | 'wants' | 'rescanAt'>>,
): Intake {
  const { dataset, released, scheduleAt } = intake;
  const base = { rescanAt: at + plan.data.rescan, ...defined({ dataset, released, scheduleAt }), ...more };
  return intake.again
    ? { ...base, status: 'settling', since: at, quietUntil: at + plan.data.settle.quiet }
    : { ...base, status: 'idle' };
}

/** Why new data did not become a dataset version, in one line. */
export function intakeText(intake: Intake, now: number): string {
  if (intake.status === 'settling')
    return `new data; listed in ${durationText(Math.max(0, intake.quietUntil - now))} unless more comes`;
  if (intake.status === 'listing') return `listing, ${intake.progress?.objects ?? 0} objects so far`;
  const text = intake.note ?? (intake.dataset === undefined ? 'no data yet' : datasetText(intake.dataset));
  return [text, ...leftOutTexts(intake)].join('; ');
}

const datasetText = ({ objects, digest }: DatasetVersion, between = ', '): string =>
  `${countText(objects, 'object')}${between}${digest.slice(0, 12)}`;

export const leftOutTexts = ({ leftOut = [] }: Pick<Base, 'leftOut'> | DatasetVersion): readonly string[] =>
  leftOut.length === 0
    ? []
    : [
        `left out as no data: ${leftOut.map(({ what, objects, first }) => `${objects} ${what} ('${first}')`).join(', ')}`,
      ];

/** What somebody who looks at a model should see of its data: not that there is nothing new. */
export function intakeNews(intake: Intake): readonly string[] {
  // A note is of the look before, and says nothing of what has come since.
  if (intake.status !== 'idle') return [];
  const { note } = intake;
  return [...(note === undefined || note.startsWith(nothingNew) ? [] : [note]), ...leftOutTexts(intake)];
}
