import { instant } from '@serin/core/base/time';
import type { LossWindow, Performance } from '@serin/core/model/performance/performance';
import type { Model } from '@serin/core/model/state';
import type { Entry } from '@serin/core/ports/journal';
import type { Labels, LabelTick } from '@serin/core/ports/telemetry';
import { Wrong } from './ledger.ts';

export interface PerformanceSources {
  /** What really came in time. */
  trueLabels(query: Parameters<Labels['labels']>[0]): readonly LabelTick[];
}

const wrong = (message: string): never => {
  throw new Wrong(message);
};

const mostBytes = 20_000;
const cleanToEnd = 3;
const firstLabels = 1000;
/** Logarithms of products of hundreds of factors, added in another order. */
const nearly = (one: number, other: number): boolean => Math.abs(one - other) <= 1e-3 * Math.max(1, Math.abs(other));

/** What is known of the champion of a model, by other means than the machine. */
interface Account {
  readonly version: number;
  /** ln R by stake, of all windows since the evidence began. */
  readonly logs: readonly number[];
  readonly first: { readonly labels: number; readonly lost: number };
  readonly cleanWindows: number;
}

const begun = (version: number): Account => ({
  ...{ version, logs: noEvidence, first: { labels: 0, lost: 0 }, cleanWindows: 0 },
});
const noEvidence: readonly number[] = Array.from({ length: 7 }, () => Number.NEGATIVE_INFINITY);

/** Follows what labels say of a model, and its incident, by other means than the machine (31). */
export function createPerformanceWatch({ trueLabels }: PerformanceSources) {
  const accounts = new Map<string, Account>();
  /** Of each model the incidents that acted, by when they were opened. */
  const acted = new Map<string, Set<number>>();

  function appended(before: Model | undefined, after: Model, { signal }: Entry): void {
    const { type = '' } = signal as { readonly type?: string };
    const { performance, model } = after;
    followed(after);
    alerted(after);
    acts(before, after, type);
    if (performance === undefined) {
      accounts.delete(model);
      return;
    }
    if (performance === before?.performance) return;
    if (JSON.stringify(performance).length > mostBytes)
      wrong(`performance takes ${JSON.stringify(performance).length} bytes`);
    if (accounts.get(model)?.version !== performance.version) {
      accounts.set(model, begun(performance.version));
      if (performance.evidence.logs.length > 0) wrong(`v${performance.version} has the evidence of another version`);
    }
    const last = performance.windows.at(-1);
    if (last !== undefined && performance.windows !== before?.performance?.windows)
      judged(before?.performance, performance, last, after);
    else if (performance.incident !== before?.performance?.incident)
      wrong(`'${type}' changed the incident, and no window was judged`);
  }

  function judged(before: Performance | undefined, after: Performance, last: LossWindow, model: Model): void {
    const name = `the window until ${instant(last.to)}`;
    const earlier = before?.windows.at(-1);
    if (earlier !== undefined && last.from < earlier.to) wrong(`${name} begins before the one before it ended`);
    const losses = counted(last, model, name);
    if (last.labels < 200 || last.labels < last.predictions / 2) wrong(`${name} is judged by ${last.labels} labels`);

    const account = accounts.get(model.model) ?? begun(last.version);
    const was = before?.incident;
    const next = withWindow(account, last, { isOpen: was?.version === last.version, losses, model, name });
    const now = after.incident;
    if (was === undefined && now !== undefined && last.isAlarm !== true)
      wrong(`${name} opens an incident without evidence`);
    if (last.isAlarm === true && now?.newsAt !== model.at) wrong(`${name} has an alarm, and nothing says so`);
    const cleanWindows =
      was === undefined || last.isAlarm || last.lost / last.labels > was.limit ? 0 : account.cleanWindows + 1;
    if (was !== undefined && (now === undefined) !== cleanWindows >= cleanToEnd)
      wrong(`${name} is the ${cleanWindows}th clean one, and the incident is ${now === undefined ? 'over' : 'open'}`);
    const isAnew = last.isAlarm === true || (was !== undefined && now === undefined);
    accounts.set(model.model, { ...next, cleanWindows, ...(isAnew ? { logs: noEvidence } : {}) });
    if (isAnew && after.evidence.logs.length > 0) wrong(`${name} keeps the evidence of before the incident`);
  }

  /** Each label that came in time counts once, for the version that answered: its losses. */
  function counted(last: LossWindow, { model, plan }: Model, name: string): readonly number[] {
    const { from, to, version } = last;
    const { maturity: maturityMs = 0, positive, scale } = plan.monitor.performance ?? {};
    const truths = positive === undefined ? scale && { scale } : { positive };
    const query = { endpoint: model, from, to, tickMs: plan.rollout.tick, maturityMs };
    const ticks = trueLabels({ ...query, ...(truths ? { truths } : {}) });
    const isOurs = ({ deployment }: { readonly deployment: string }): boolean => deployment === `v${version}`;
    const rows = ticks.flatMap((tick) => tick.rows).filter(isOurs);
    const sum = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + of(row), 0);
    const losses = [
      ...rows.flatMap(({ labelled, wrong }) => Array.from({ length: labelled }, (_, index) => (index < wrong ? 1 : 0))),
      ...ticks.flatMap((tick) => tick.losses.filter(isOurs).map(({ loss }) => loss)),
    ];
    const lost = losses.reduce((all, loss) => all + loss, 0);
    const truth = [sum(({ requests }) => requests), losses.length];
    if (truth.join() !== [last.predictions, last.labels].join() || !nearly(lost, last.lost))
      wrong(
        `${name} has ${truth} predictions and labels of v${version}, which lost ${lost}, and ${[last.predictions, last.labels, last.lost]} were counted`,
      );
    for (const kind of ['classes', 'errors'] as const) {
      const all = rows.flatMap((row) => Object.entries(row[kind] ?? {}));
      for (const field of new Set([...all.map(([field]) => field), ...Object.keys(last[kind] ?? {})])) {
        const total = all.reduce((sums, [name, value]) => (name === field ? sums + value : sums), 0);
        const said = Object.entries(last[kind] ?? {}).find(([name]) => name === field)?.[1];
        if (said === undefined || !nearly(total, said))
          wrong(`${name} has ${total} ${field} of v${version}, and ${said} were counted`);
      }
    }
    return losses;
  }

  /** An incident acts once, whatever comes of it. */
  function acts(before: Model | undefined, after: Model, type: string): void {
    const { incident } = after.performance ?? {};
    if (type !== 'labelsCounted' || incident === undefined || after.did === before?.did) return;
    if (after.did?.do !== 'run' && after.did?.do !== 'rollback') return;
    const known = acted.get(after.model) ?? new Set();
    if (known.has(incident.at)) wrong(`the incident since ${instant(incident.since)} acts again`);
    acted.set(after.model, known.add(incident.at));
  }

  return { appended };
}

/** The evidence by the formula, of the counts of a window; with the first labels, while they tell the limit. */
function withWindow(
  account: Account,
  { labels, lost, limit, evidence, isAlarm }: LossWindow,
  {
    isOpen,
    losses,
    model,
    name,
  }: {
    readonly isOpen: boolean;
    readonly losses: readonly number[];
    readonly model: Model;
    readonly name: string;
  },
): Account {
  const { limit: given, tolerance = 0, quietFor = 0 } = model.plan.monitor.performance ?? {};
  if (given !== undefined && limit !== given) wrong(`${name} has the limit ${limit}, and ${given} was given`);
  const { first } = account;
  if (given === undefined && (limit === undefined) !== first.labels < firstLabels)
    wrong(`${name} has the limit ${limit} after ${first.labels} labels of its version`);
  if (limit === undefined) return { ...account, first: { labels: first.labels + labels, lost: first.lost + lost } };
  if (given === undefined && limit < first.lost / first.labels + tolerance)
    wrong(`${name} has the limit ${limit}, and ${first.lost} of the first ${first.labels} labels were wrong`);
  if ((evidence === undefined) !== isOpen) wrong(`${name} has the evidence ${evidence}, and its incident is ${isOpen}`);
  if (isOpen) return account;
  const logs = account.logs.map((log, index) => {
    const bet = 1 / (2 ** index * 2 * limit);
    const before = Math.max(0, log) + Math.log1p(Math.exp(-Math.abs(log)));
    return losses.reduce((sum, loss) => sum + Math.log(1 + bet * (loss - limit)), before);
  });
  const top = Math.max(...logs);
  const mean = top + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - top), 0) / logs.length);
  if (!nearly(Math.log(evidence ?? 0), Math.min(mean, Math.log(1e9))))
    wrong(`${name} has the evidence ${evidence}, not e^${mean}`);
  if ((isAlarm === true) !== mean >= Math.log(quietFor))
    wrong(`${name} has ${mean} of ln ${quietFor}, and an alarm: ${isAlarm}`);
  return { ...account, logs };
}

/** It is the champion whose labels are judged. */
function followed({ plan, champion, performance, retired }: Model): void {
  const wanted = plan.monitor.performance === undefined || retired ? undefined : champion;
  if (performance?.version !== wanted)
    wrong(`labels of v${performance?.version} are judged, and v${wanted} is the champion`);
}

/** What fires of it is the incident. */
function alerted({ performance, monitor }: Model): void {
  const own = Object.values(monitor.alerts).filter(
    ({ sender, fingerprint }) => sender === 'serin' && fingerprint === 'performance',
  );
  const { incident } = performance ?? {};
  const starts = incident === undefined ? [] : [instant(incident.newsAt)];
  const firing = own.map(({ startedAt }) => startedAt);
  if (firing.join() !== starts.join()) wrong(`of labels fires [${firing}], and the incident is [${starts}]`);
}
