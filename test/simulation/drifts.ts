import { instant } from '@serin/core/base/time';
import type { AnswerSample } from '@serin/core/drift/answers';
import type { Reference, WindowCounts } from '@serin/core/drift/reference';
import type { Drift, WindowSeen } from '@serin/core/model/drift/drift';
import type { Model } from '@serin/core/model/state';
import type { CapturedRow } from '@serin/core/ports/captured';
import type { Entry } from '@serin/core/ports/journal';
import { Wrong } from './ledger.ts';

/** What really was asked, and what the engine wrote. */
export interface DriftSources {
  asked(endpoint: string, from: number, to: number): readonly CapturedRow[];
  /** Of the project's own bucket. */
  stored(key: string): unknown;
}

const wrong = (message: string): never => {
  throw new Wrong(message);
};

/** So much JSON at most, whatever happens. */
const mostBytes = 30_000;
/** A share of one value that no noise of these worlds comes to. */
const mostOfAll = 0.6;
const watched = 'day';
/** What the models of these worlds say of a row of the last day, and of another. */
export const probabilities = { late: 0.9, early: 0.25 } as const;
/** Of fewer rows even these kinds may not differ as surely as `quietFor` asks. */
const sureRows = 160;

/** Follows the windows of a model and its incident by other means than the machine (30). */
export function createDriftWatch({ asked, stored }: DriftSources) {
  /** Where the windows against the data of this version began. */
  const begun = new Map<string, { readonly version: number; readonly from: number }>();
  /** Of each model the news for which a run was started. */
  const acted = new Map<string, Set<string>>();

  function appended(before: Model | undefined, after: Model, { signal }: Entry): void {
    const { drift } = after;
    followed(after);
    alerted(after);
    const { type = '' } = signal as { readonly type?: string };
    ran(before, after, type);
    if (drift === undefined || drift === before?.drift) return;
    if (drift.version !== before?.drift?.version) {
      begun.set(after.model, { version: drift.version, from: drift.from });
      if (drift.detector !== undefined) wrong(`v${drift.version} is judged by what was learned of another version`);
    }
    if (JSON.stringify(drift).length > mostBytes) wrong(`drift takes ${JSON.stringify(drift).length} bytes`);
    const last = drift.windows.at(-1);
    if (last !== undefined && drift.windows !== before?.drift?.windows) judged(before?.drift, drift, last, after.model);
    else if (type !== 'driftJudged' && drift.incident !== before?.drift?.incident)
      wrong(`'${type}' changed the incident, and judges nothing`);
  }

  function judged(before: Drift | undefined, after: Drift, last: WindowSeen, model: string): void {
    const earlier = before?.windows.at(-1);
    const name = `the window until ${instant(last.to)}`;
    if (earlier !== undefined && last.from < earlier.to) wrong(`${name} begins before the one before it ended`);
    const known = before?.windows.length ?? 0;
    if (after.windows.length !== Math.min(60, known + 1)) wrong(`${name} is not one more than ${known}`);
    const first = begun.get(model);
    const follows = earlier === undefined || earlier.to <= (first?.from ?? 0) ? first?.from : earlier.to;
    if (last.from !== follows) wrong(`${name} begins at ${last.from}, and the one before it ended at ${follows}`);

    const rows = asked(model, last.from, last.to);
    if (rows.length !== last.rows) wrong(`${name} has ${rows.length} rows, and ${last.rows} were counted`);
    const reference = stored(`references/${after.reference}.json`) as Reference; // the engine wrote it
    const counts = stored(`drift/windows/${after.counts}.json`) as WindowCounts; // and this
    const place = reference.columns.findIndex((column) => column.name === watched);
    for (const [index, value] of (reference.columns[place]?.values ?? []).entries()) {
      const truth = rows.filter((row) => fieldOf(row) === value).length;
      const said = counts.columns[place]?.cells[index];
      if (said !== truth) wrong(`${name} has ${truth} rows of ${value}, and ${said} were counted`);
    }

    sampled(after, rows.length, name);
    expected(last, rows, name);
    const [was, now] = [before?.incident, after.incident];
    const isSame = was?.version === now?.version && was?.level === now?.level;
    if (was !== undefined && now !== undefined && isSame && was.newsAt !== now.newsAt)
      wrong(`${name} is news of the drift since ${instant(now.since)}, and says nothing new`);

    const other = (each: readonly CapturedRow[]): boolean => isLate(shareIn(each)) !== isLate(trainedOn(reference));
    const since = first?.from ?? last.from;
    const opened = after.incident !== undefined && after.incident.at !== before?.incident?.at;
    if (opened && !partsOf(since, last.to, 60_000).some((part) => other(asked(model, ...part))))
      wrong(`${name} opens an incident, and nothing drifted`);
    const parts = partsOf(last.from, last.to, (last.to - last.from) / 10);
    const isSure = rows.length >= sureRows && parts.every((part) => other(asked(model, ...part)));
    if (isSure && after.incident?.clean !== 0) wrong(`${name} drifted, and nothing says so`);
  }

  /** Each row of these worlds has an answer. */
  function sampled({ answers }: Drift, rows: number, name: string): void {
    const { sample, counts, rows: kept = 0 } = answers ?? {};
    const total = sample === undefined ? kept : (stored(`drift/${sample}.json`) as AnswerSample).answers.length; // the engine wrote it
    if (total !== Math.min(10_000, kept)) wrong(`${name} has a sample of ${total} answers, and ${kept} were counted`);
    const live = counts === undefined ? rows : (stored(`drift/windows/${counts}.json`) as WindowCounts).rows; // and this
    if (live !== rows) wrong(`${name} has ${rows} rows, and ${live} answers of them were counted`);
  }

  /** With the probabilities of these worlds it follows from how many rows were of the last day. */
  function expected({ estimate }: WindowSeen, rows: readonly CapturedRow[], name: string): void {
    if (estimate === undefined) return;
    const late = rows.filter((row) => fieldOf(row) === 'd2').length;
    const early = rows.length - late;
    const truths = {
      rows: rows.length,
      accuracy: (late * probabilities.late + early * (1 - probabilities.early)) / rows.length,
      precision: probabilities.late,
      recall: (late * probabilities.late) / (late * probabilities.late + early * probabilities.early),
    };
    for (const [what, truth] of Object.entries(truths)) {
      const said = estimate[what as keyof typeof truths]; // its own names
      if (said === undefined || Math.abs(said - truth) > 1e-9)
        wrong(`${name} should have the ${what} ${truth}, and ${said} was estimated`);
    }
  }

  /** A run for each news of an incident, at most. */
  function ran(before: Model | undefined, after: Model, type: string): void {
    const started = (after.monitor.runs.at(-1) ?? 0) > (before?.monitor.runs.at(-1) ?? 0);
    if (!started || type !== 'driftJudged') return;
    const news = instant(after.drift?.incident?.newsAt ?? 0);
    const known = acted.get(after.model) ?? new Set();
    if (known.has(news)) wrong(`a second run was started for the drift of ${news}`);
    acted.set(after.model, known.add(news));
  }

  return { appended };
}

/** While a champion has a reference, it is that one that requests are compared with. */
function followed({ plan, champion, versions, drift, retired }: Model): void {
  const reference = champion === undefined ? undefined : versions[String(champion)]?.data?.reference;
  const wanted = plan.monitor.drift === undefined || retired ? undefined : reference;
  if (drift?.reference !== wanted) wrong(`requests are compared with ${drift?.reference}, v${champion} has ${wanted}`);
}

/** What fires of Serin's own is the incident. */
function alerted({ drift, monitor }: Model): void {
  const own = Object.values(monitor.alerts).filter(
    ({ sender, fingerprint }) => sender === 'serin' && fingerprint === 'drift',
  );
  const { incident } = drift ?? {};
  const starts = incident === undefined ? [] : [instant(incident.newsAt)];
  const firing = own.map(({ startedAt }) => startedAt);
  if (firing.join() !== starts.join()) wrong(`of drift fires [${firing}], and the incident is [${starts}]`);
}

const fieldOf = (row: CapturedRow): unknown => (Array.isArray(row) ? undefined : Object(row)[watched]);
const isLate = (share: number): boolean => share > mostOfAll;
const shareIn = (rows: readonly CapturedRow[]): number =>
  rows.filter((row) => fieldOf(row) === 'd2').length / Math.max(1, rows.length);

function trainedOn({ columns }: Reference): number {
  const column = columns.find(({ name }) => name === watched);
  return (column?.cells[column.values?.indexOf('d2') ?? -1] ?? 0) / Math.max(1, column?.rows ?? 0);
}

const partsOf = (from: number, to: number, each: number): readonly (readonly [number, number])[] =>
  Array.from({ length: Math.floor((to - from) / each) }, (_, index) => [
    from + index * each,
    from + (index + 1) * each,
  ]);
