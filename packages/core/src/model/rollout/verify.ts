import { canonical } from '../../base/json.ts';
import { step } from '../../base/table.ts';
import type { Certificate } from '../../judge/certificate.ts';
import { type Evidence, noEvidence } from '../../judge/evidence.ts';
import { edition } from '../../judge/rules.ts';
import { chainProblem } from '../../ports/entry.ts';
import type { Entry } from '../../ports/journal.ts';
import type { ModelSignal } from '../protocol.ts';
import { deploymentName } from '../version.ts';
import { certify } from './evidence.ts';
import { type Change, readingIn, rolloutFollower } from './follow.ts';
import { candidateWeight, type Rollout } from './state.ts';
import { beginRollout } from './steps.ts';
import { meant, rolloutTable } from './table.ts';

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
 * Their chain of hashes is checked as well, and says which entry was changed after it was written. Never throws, whatever
 * is in the entries.
 *
 * Taken as recorded: what the platform counted and saw (ticks, labels, the champion's past as it was summarised, the
 * weights of its endpoint and when it had them), what people and alerts said, what a rollout began with (its versions and
 * its plan), and the text of a decision by policy. Everything that follows from these is recomputed, also when a reading
 * begins, how long a bake lasts and since when users are known. No status changes but by what its entry says.
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
    if (was === undefined) note(entry, 'rollout', begunAs(now, entry.at), begunAs(now, now.startedAt, now));
    own ??= noEvidence(now.startedAt);
    const until = own;
    const replayed = was === undefined ? undefined : judgedAgain(was, entry, change.frozen);
    if (replayed !== undefined) readings += 1;
    if (was !== undefined) {
      const mine: Rollout = { ...was, evidence: own };
      // The endpoint may be as wanted already, and the wait for it over in the same entry.
      const next =
        replayed === undefined
          ? goneOn(mine, entry, change)
          : convergences(replayed, entry, change).find(({ status }) => status === now.status);
      const followed = next ?? replayed ?? mine;
      note(entry, 'rollout', restOf(followed), restOf(now));
      own = followed.evidence;
    }
    note(entry, 'evidence', own, now.evidence);
    if (was !== undefined && isConfirmed(was, now)) note(entry, 'weight', weightIn(entry, now), candidateWeight(now));
    if (was?.certificate !== undefined && now.certificate === undefined)
      note(entry, 'certificate', was.certificate, undefined);
    if (now.certificate !== undefined && canonical(now.certificate) !== canonical(was?.certificate)) {
      recorded = now.certificate;
      recomputed =
        replayed?.certificate ??
        certify({ ...now, evidence: until }, { verdict: 'none', by: 'noSteps', because: 'policy' }, '');
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
 * Without a reading: what the signal comes to, with the time that passes and a weight that is confirmed in the same entry.
 * `undefined`: nothing of this moves the rollout to where it is.
 */
function goneOn(mine: Rollout, entry: Entry, change: Change): Rollout | undefined {
  const { at, seq, actor } = entry;
  const { now, frozen } = change;
  const found = heardIn(mine, entry, frozen).flatMap((said) => {
    const passed = step(rolloutTable, said, { type: 'clockTicked', id: `${seq}`, at, actor }, { frozen });
    return [said, ...('moved' in passed ? [passed.moved] : [])].flatMap((each) => convergences(each, entry, change));
  });
  const moved = found.filter((next) => next !== mine && next.status === now.status);
  return moved.find((next) => differences(restOf(next), restOf(now), '').length === 0) ?? moved[0];
}

/** What may have become of it by the signal of an entry; whether the model passed that on is not for it to know. */
function heardIn(mine: Rollout, { signal, at }: Entry, frozen: boolean): readonly Rollout[] {
  // Written by the engine; what comes of it is compared.
  const said = meant(mine, { ...(signal as unknown as ModelSignal), at });
  const heard = said === undefined ? undefined : step(rolloutTable, mine, said, { frozen });
  return heard !== undefined && 'moved' in heard ? [heard.moved, mine] : [mine];
}

/** What follows from what a rollout began with. */
function begunAs(given: Rollout, at: number, { steps, guardMs, startedAt, edition } = beginRollout(given, at)) {
  return { steps, guardMs, startedAt, edition };
}

/** All that a rollout is beside its evidence and its certificate, which are compared by themselves; its status first. */
function restOf({ evidence: _, certificate: __, status, ...rest }: Rollout): unknown {
  return { status, ...rest };
}

const isConfirmed = (was: Rollout, now: Rollout): boolean =>
  (was.status === 'shifting' && now.status === 'baking') || (was.status === 'promoting' && now.status === 'guarding');

/** What an entry saw of the candidate's weight; where it saw nothing, the endpoint was as wanted before. */
function weightIn({ signal }: Entry, now: Rollout): number {
  const { observation } = signal as { readonly observation?: { readonly weights?: Readonly<Record<string, number>> } };
  return observation === undefined ? candidateWeight(now) : (observation.weights?.[deploymentName(now.candidate)] ?? 0);
}

/** A rollout, and what becomes of it while its endpoint is as it is wanted, all in one entry. */
function convergences(rollout: Rollout, { at }: Entry, { stillFrozen }: Change): readonly Rollout[] {
  const found = [rollout];
  for (const last of found) {
    const next = step(rolloutTable, last, { type: 'endpointConverged', at }, { frozen: stillFrozen });
    if ('moved' in next && next.moved !== last && found.length < 4) found.push(next.moved);
  }
  return found;
}

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
