import { canonical } from '../../base/json.ts';
import { step } from '../../base/table.ts';
import type { Certificate } from '../../judge/certificate.ts';
import { type Evidence, noEvidence } from '../../judge/evidence.ts';
import { edition } from '../../judge/rules.ts';
import { chainProblem } from '../../ports/entry.ts';
import type { Entry } from '../../ports/journal.ts';
import type { SignalOf } from '../protocol.ts';
import { certify } from './evidence.ts';
import { type Change, readingIn, rolloutFollower } from './follow.ts';
import type { Rollout } from './state.ts';
import { rolloutTable } from './table.ts';

export interface Verification {
  readonly verified: boolean;
  /** Where the record and the recomputation part, the first of them first; empty when verified. */
  readonly problems: readonly string[];
  /** Readings of ticks and labels that were judged again. */
  readonly readings: number;
  /** Where the rollout is at the end of these entries: one that goes on may still end otherwise. */
  readonly status?: Rollout['status'];
  readonly recorded?: Certificate;
  readonly recomputed?: Certificate;
}

/**
 * Judges a rollout again from the ticks and labels that its journal recorded, on any platform, and compares every step,
 * every count and every certificate with the record: integers and verdicts exactly, logarithms to 1e-9 (`Math.log` is
 * implementation-approximated).
 *
 * `entries` are those of the model's stream, oldest first, from its first on, or at least up to the end of the rollout.
 * Their chain of hashes is checked as well, and says which entry was changed after it was written. When a weight was
 * confirmed, and what people and alerts said, is taken as recorded. Never throws, whatever is in the entries.
 */
export function verifyRollout(entries: readonly Entry[], id: string): Verification {
  const odd = entries.findIndex((entry) => !isEntry(entry));
  if (odd >= 0)
    return { verified: false, problems: [`number ${odd + 1} of these is no entry of a journal`], readings: 0 };
  const verifier = rolloutVerifier(id);
  verifier.take(entries);
  return verifier.outcome();
}

export interface RolloutVerifier {
  /** The entries that follow, oldest first. */
  take(entries: readonly Entry[]): void;
  /** What comes of all that were taken. */
  outcome(): Verification;
}

/** `verifyRollout` for a long stream that is read in parts. The answer does not depend on the parts. */
export function rolloutVerifier(id: string): RolloutVerifier {
  const found: string[] = [];
  const replay = replayOf(id, found);
  let count = 0;
  let last: Entry | undefined;
  let broken: string | undefined;
  let unreadable = false;

  function judge(entry: Entry): void {
    if (unreadable) return;
    try {
      replay.take(entry);
    } catch (error) {
      // A state that was mangled may be anything.
      found.push(`entry ${entry.seq} cannot be judged again: ${error instanceof Error ? error.message : error}`);
      unreadable = true;
    }
  }

  return {
    take(entries) {
      broken ??= chainProblem(entries, last?.hash, last?.seq);
      entries.forEach(judge);
      count += entries.length;
      last = entries.at(-1) ?? last;
    },
    outcome() {
      const { readings, recorded, recomputed, status } = replay.outcome();
      const missing = status === undefined ? [`there is no rollout ${id} in these ${count} entries`] : [];
      const problems = [...(broken === undefined ? [] : [broken]), ...found, ...missing];
      return {
        verified: problems.length === 0,
        problems: problems.slice(0, 20),
        readings,
        ...(status === undefined ? {} : { status }),
        ...(recorded === undefined ? {} : { recorded }),
        ...(recomputed === undefined ? {} : { recomputed }),
      };
    },
  };
}

/** Before it, rollouts were judged by thresholds. */
const firstSchema = 2;

/** Rules that this version does not judge by. */
export const isOlder = ({ schema, now }: Pick<Change, 'schema' | 'now'>): boolean =>
  schema < firstSchema || now.edition !== edition;

function replayOf(id: string, problems: string[]) {
  const follow = rolloutFollower(id);
  let own: Evidence | undefined;
  let readings = 0;
  let status: Rollout['status'] | undefined;
  let old = false;
  let recomputed: Certificate | undefined;
  let recorded: Certificate | undefined;

  function take(entry: Entry): void {
    // Written by the machine; whether it is what the machine writes is what is checked here.
    const change = follow(entry);
    if (change === undefined) return;
    const { was, now, schema } = change;
    if (status === undefined && isOlder(change)) {
      old = true;
      const rules = schema < firstSchema ? `schema ${schema}` : `edition ${now.edition ?? 1}`;
      problems.push(`${id} began under older rules (${rules}), which this version does not judge again`);
    }
    status = now.status;
    if (old) return;
    own ??= noEvidence(now.evidence.readTo);
    const until = own;
    const replayed = was === undefined ? undefined : judgedAgain(was, entry, change.frozen);
    if (replayed === undefined) own = readOn(own, now);
    else {
      readings += 1;
      // The endpoint may be as wanted already, and the wait for it over in the same entry.
      const next = replayed.status === now.status ? replayed : converged(replayed, entry);
      own = next === replayed ? replayed.evidence : readOn(replayed.evidence, now);
      note(entry, 'status', next.status, now.status);
      if (next.status === now.status) note(entry, 'until', endOf(next), endOf(now));
    }
    note(entry, 'evidence', own, now.evidence);
    const past = pastIn(entry);
    if (was !== undefined && past !== undefined) note(entry, past, pastAgain(was, entry)[past], now[past]);
    if (now.certificate !== undefined && canonical(now.certificate) !== canonical(was?.certificate)) {
      recorded = now.certificate;
      recomputed =
        replayed?.certificate ?? certify({ ...now, evidence: until }, { verdict: 'none', because: 'policy' }, '');
      // What policy said is not for the evidence to confirm.
      note(entry, 'certificate', worded(recomputed, recorded), recorded);
    }
  }

  /** The reading, put to the machine with the evidence that was recomputed so far. */
  function judgedAgain(was: Rollout, entry: Entry, frozen: boolean): Rollout | undefined {
    const reading = readingIn(entry, id);
    if (reading === undefined || own === undefined) return undefined;
    const mine: Rollout = { ...was, evidence: own };
    const read = step(rolloutTable, mine, reading, { frozen });
    const judged = 'moved' in read ? read.moved : mine;
    // Time passes in every entry: a hold may end in the one that brings a reading.
    const tick = { type: 'clockTicked', id: `${entry.seq}`, at: entry.at, actor: entry.actor } as const;
    const passed = step(rolloutTable, judged, tick, { frozen });
    return 'moved' in passed ? passed.moved : judged;
  }

  function note(entry: Entry, what: string, mine: unknown, theirs: unknown): void {
    for (const difference of differences(mine, theirs, what)) problems.push(`entry ${entry.seq}: ${difference}`);
  }

  return { take, outcome: () => ({ readings, recorded, recomputed, status }) };
}

/**
 * A weight was confirmed: the next reading begins later, with a warm-up. It never goes back.
 */
function readOn(mine: Evidence, { evidence, plan }: Rollout): Evidence {
  const { readTo, from, usersSince } = evidence;
  if (!(readTo >= mine.readTo)) return mine;
  const begins = mine.from === undefined || from === readTo + plan.warmUp * plan.tick;
  return {
    ...mine,
    readTo,
    ...(begins && from !== undefined ? { from } : {}),
    ...(mine.usersSince !== undefined || usersSince === undefined ? {} : { usersSince }),
  };
}

const endOf = (rollout: Rollout): number | undefined => ('until' in rollout ? rollout.until : undefined);

function converged(rollout: Rollout, { at }: Entry): Rollout {
  const next = step(rolloutTable, rollout, { type: 'endpointConverged', at }, { frozen: false });
  return 'moved' in next ? next.moved : rollout;
}

/** What an entry tells of the champion's past: the field in which a rollout keeps it. */
const pastIn = (entry: Entry) => pasts.find(([type]) => type === entryType(entry))?.[1];
const pasts = [
  ['latencyRead', 'latency'],
  ['historyRead', 'history'],
] as const;

function pastAgain(was: Rollout, { signal, at }: Entry): Rollout {
  // Written by the engine; what is in it is compared.
  const told = signal as unknown as SignalOf<'latencyRead' | 'historyRead'>;
  const next = step(rolloutTable, was, { ...told, at }, { frozen: false });
  return 'moved' in next ? next.moved : was;
}

const entryType = ({ signal }: Entry): unknown => (signal as { readonly type?: unknown }).type;
const isEntry = (entry: unknown): boolean =>
  isRecord(entry) && typeof entry.seq === 'number' && isRecord(entry.patch) && isRecord(entry.signal);

const closeEnough = 1e-9;

/** Paths at which two records differ; logarithms and bounds that were searched for may differ by rounding. */
function differences(mine: unknown, theirs: unknown, path: string): readonly string[] {
  if (Object.is(mine, theirs)) return [];
  if (typeof mine === 'number' && typeof theirs === 'number' && !(Number.isInteger(mine) && Number.isInteger(theirs))) {
    const scale = Math.max(1, Math.abs(mine), Math.abs(theirs));
    if (Math.abs(mine - theirs) <= closeEnough * scale) return [];
  }
  if (isRecord(mine) && isRecord(theirs))
    return [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].flatMap((key) =>
      differences(mine[key], theirs[key], `${path}.${key}`),
    );
  return [`${path} is recorded as ${shown(theirs)}, recomputed as ${shown(mine)}`];
}

/** What policy said is not for the evidence to confirm, and texts are those of the rule that wrote them. */
function worded(mine: Certificate, recorded: Certificate): unknown {
  const { rule, verdict, sentence, conditions } = recorded;
  if (rule !== mine.rule) return { ...Object(knownOf(mine, recorded)), rule, sentence, conditions };
  return verdict === 'none' ? { ...mine, sentence } : mine;
}

/** Without the fields that a certificate of another rule does not have. */
function knownOf(mine: unknown, theirs: unknown): unknown {
  if (!isRecord(mine) || !isRecord(theirs)) return mine;
  return Object.fromEntries(
    Object.entries(mine).flatMap(([key, value]) => (key in theirs ? [[key, knownOf(value, theirs[key])]] : [])),
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const shown = (value: unknown): string => (value === undefined ? 'nothing' : canonical(value).slice(0, 120));
