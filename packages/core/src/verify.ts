import { chainProblem } from './entry.ts';
import { applyPatch, canonical } from './json.ts';
import type { Certificate } from './judge/certificate.ts';
import { type Evidence, noEvidence } from './judge/evidence.ts';
import { certified } from './judged.ts';
import type { Entry } from './ports.ts';
import { type Rollout, rolloutTable } from './rollout.ts';
import type { ModelSignal } from './signal.ts';
import { step } from './table.ts';

export interface Verification {
  readonly verified: boolean;
  /** Where the record and the recomputation part, the first of them first; empty when verified. */
  readonly problems: readonly string[];
  /** Readings of ticks and labels that were judged again. */
  readonly readings: number;
  readonly recorded?: Certificate;
  readonly recomputed?: Certificate;
}

/**
 * Judges a rollout again from the ticks and labels that its journal recorded, on any platform, and compares every step,
 * every count and every certificate with the record: integers and verdicts exactly, logarithms to 1e-9 (`Math.log` is
 * implementation-approximated).
 *
 * `entries` are those of the model's stream, oldest first, from its first on, or at least up to the end of the rollout.
 * Their chain of hashes is checked as well, and says which entry was changed after it was written.
 */
export function verifyRollout(entries: readonly Entry[], id: string): Verification {
  const problems: string[] = [];
  const broken = chainProblem(entries);
  if (broken !== undefined) problems.push(broken);
  const replay = replayOf(id, problems);
  for (const entry of entries) replay.take(entry);
  const { readings, recorded, recomputed, found } = replay.outcome();
  if (!found) problems.push(`there is no rollout ${id} in these ${entries.length} entries`);
  return {
    verified: problems.length === 0,
    problems: problems.slice(0, 20),
    readings,
    ...(recorded === undefined ? {} : { recorded }),
    ...(recomputed === undefined ? {} : { recomputed }),
  };
}

interface Seen {
  readonly rollout?: Rollout;
  readonly freeze?: unknown;
}

function replayOf(id: string, problems: string[]) {
  let seen: Seen = {};
  let own: Evidence | undefined;
  let readings = 0;
  let found = false;
  let recomputed: Certificate | undefined;
  let recorded: Certificate | undefined;

  function take(entry: Entry): void {
    const patch = entry.patch as { readonly rollout?: unknown; readonly freeze?: unknown };
    if (patch.rollout === undefined && patch.freeze === undefined) return;
    const parts = { rollout: patch.rollout, freeze: patch.freeze };
    const before = seen;
    // Written by the machine; whether it is what the machine writes is what is checked here.
    seen = applyPatch(before, JSON.parse(JSON.stringify(parts))) as Seen;
    const now = seen.rollout;
    if (now?.id !== id) return;
    found = true;
    const was = before.rollout?.id === id ? before.rollout : undefined;
    own ??= noEvidence(now.evidence.readTo);
    const replayed = was === undefined ? undefined : judgedAgain(was, entry, before.freeze !== undefined);
    if (replayed !== undefined) {
      readings += 1;
      own = replayed.evidence;
      note(entry, 'status', replayed.status, now.status);
    }
    note(entry, 'evidence', counts(own), counts(now.evidence));
    if (now.certificate !== undefined && canonical(now.certificate) !== canonical(was?.certificate)) {
      recorded = now.certificate;
      recomputed =
        replayed?.certificate ??
        certified(
          { ...now, evidence: { ...own, readTo: now.evidence.readTo } },
          { verdict: 'none', because: 'policy' },
        );
      // What policy said is not for the evidence to confirm.
      const sentence = recorded.verdict === 'none' ? recorded.sentence : recomputed.sentence;
      note(entry, 'certificate', { ...recomputed, sentence }, recorded);
    }
  }

  /** The reading, put to the machine with the evidence that was recomputed so far. */
  function judgedAgain(was: Rollout, entry: Entry, frozen: boolean): Rollout | undefined {
    const signal = entry.signal as unknown as ModelSignal & { readonly key?: string };
    const reads = signal.type === 'ticksRead' || signal.type === 'labelsRead';
    if (!reads || !signal.key?.startsWith(`rollout/${id}/`) || own === undefined) return undefined;
    const { readTo, from } = was.evidence;
    const labels = own.labels ?? was.evidence.labels;
    const evidence = {
      ...own,
      readTo,
      ...(from === undefined ? {} : { from }),
      ...(labels === undefined ? {} : { labels }),
    };
    const mine: Rollout = { ...was, evidence };
    const read = step(rolloutTable, mine, { ...signal, at: entry.at }, { frozen });
    const judged = 'moved' in read ? read.moved : mine;
    // Time passes in every entry: a hold may end in the one that brings a reading.
    const tick = { type: 'clockTicked', id: signal.id, at: entry.at, actor: signal.actor } as const;
    const passed = step(rolloutTable, judged, tick, { frozen });
    return 'moved' in passed ? passed.moved : judged;
  }

  function note(entry: Entry, what: string, mine: unknown, theirs: unknown): void {
    for (const difference of differences(mine, theirs, what)) problems.push(`entry ${entry.seq}: ${difference}`);
  }

  return { take, outcome: () => ({ readings, recorded, recomputed, found }) };
}

/** Without the times up to which was read: they move with the weights, not with the counts. */
function counts({ readTo: _, from: __, ...rest }: Evidence): unknown {
  return rest;
}

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

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const shown = (value: unknown): string => (value === undefined ? 'nothing' : canonical(value).slice(0, 120));
