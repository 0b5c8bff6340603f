import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Append, Head } from '@serin/core/ports/journal';
import type { Ports } from '@serin/core/ports/ports';
import type { Operation } from '@serin/core/ports/serving';
import type { Telemetry } from '@serin/core/ports/telemetry';
import { crowdBugs } from './crowd-bugs.ts';
import { driftBugs } from './drift-bugs.ts';
import { waits } from './drift-scenarios.ts';
import { shapes } from './fakes/shapes.ts';
import { performanceBugs } from './performance-bugs.ts';
import { planOf, shapedPlanOf } from './plans.ts';
import { type Change, core, type PlantedBug, plantedIn, replaced, replacedServing, seedsFrom } from './planted.ts';
import { runPlan } from './run.ts';
import { scenarios } from './scenarios.ts';
import { shapedBugs } from './shaped-bugs.ts';
import { scenariosOn } from './shaped-scenarios.ts';
import type { Fakes } from './universe.ts';

function appendOnAnything(ports: Ports, fakes: Fakes): Ports {
  return replaced(ports, 'journal', {
    append: (_: number, write: Append) => {
      const seq = fakes.journal.head(write.entry.stream)?.seq ?? 0;
      return ports.journal.append(seq, { ...write, entry: { ...write.entry, seq: seq + 1 } });
    },
  });
}

function weighOneByOne(ports: Ports): Ports {
  return replacedServing(ports, {
    async change(endpoint: string, operation: Operation) {
      if (operation.kind !== 'weigh' || Object.keys(operation.weights).length < 2)
        return ports.serving('endpoint').change(endpoint, operation);
      for (const [name, weight] of Object.entries(operation.weights))
        await ports.serving('endpoint').change(endpoint, { kind: 'weigh', weights: { [name]: weight } });
      return 'accepted';
    },
  });
}

function readHeadsOnce(ports: Ports, fakes: Fakes): Ports {
  const heads = new Map<string, { readonly at: number; readonly head: Head | undefined }>();
  return replaced(ports, 'journal', {
    async head(stream: string) {
      const known = heads.get(stream);
      if (known !== undefined && fakes.sim.now - known.at < 20_000) return known.head;
      const head = await ports.journal.head(stream);
      heads.set(stream, { at: fakes.sim.now, head });
      return head;
    },
  });
}

function goBackToTheFirst(ports: Ports): Ports {
  return replacedServing(ports, {
    change: (endpoint: string, operation: Operation) =>
      ports
        .serving('endpoint')
        .change(
          endpoint,
          operation.kind === 'weigh' && Object.keys(operation.weights).join() === 'v2'
            ? { kind: 'weigh', weights: { v1: 100 } }
            : operation,
        ),
  });
}

function startAnew(ports: Ports, fakes: Fakes): Ports {
  return replaced(ports, 'jobs', {
    start: (job) => ports.jobs.start({ ...job, key: `${job.key}/${fakes.sim.calls}` }),
  });
}

/** Ticks are told as soon as they are over, with the outcomes that have come by then. */
function countTooEarly(ports: Ports, fakes: Fakes): Ports {
  const telemetry: Telemetry = {
    ...ports.telemetry('endpoint'),
    async ticks(query) {
      const closed = await ports.telemetry('endpoint').ticks(query);
      const open = fakes.telemetry.truth({ ...query, to: Math.min(query.to, fakes.sim.now) }).slice(closed.length);
      const early = open.map(({ start, counts }) => ({
        start,
        counts: Object.fromEntries(
          Object.entries(counts).map(([name, arm]) => [
            name,
            { ...arm, bad: { ...arm.bad, errors: Math.floor((arm.bad.errors ?? 0) / 2) } },
          ]),
        ),
      }));
      return [...closed, ...early];
    },
  };
  return { ...ports, telemetry: () => telemetry };
}

function forgetDue(ports: Ports): Ports {
  return replaced(ports, 'journal', {
    append: (basedOn, { due: _, ...write }) => ports.journal.append(basedOn, write),
  });
}

export const plantedBugs: readonly PlantedBug[] = [
  { name: 'a job is started without adopting', bugs: { ports: (ports, _, fakes) => startAnew(ports, fakes) } },
  {
    name: 'a message is acknowledged before its work',
    bugs: { acknowledgeBeforeWork: true },
    scenario: 'an alert comes while baking',
  },
  {
    name: 'a message that met a fault is forgotten',
    bugs: { forgetFaulted: true },
    scenario: 'drift starts runs within budget and cooldown',
  },
  { name: 'an append asks for no base', bugs: { ports: (ports, _, fakes) => appendOnAnything(ports, fakes) } },
  { name: 'weights are set in two calls', bugs: { ports: weighOneByOne } },
  {
    name: 'a stale head is read before a weight rises',
    bugs: { ports: (ports, _, fakes) => readHeadsOnce(ports, fakes) },
  },
  { name: 'a rollback goes to another version than the last good one', bugs: { ports: goBackToTheFirst } },
  {
    name: 'a tick is counted before its outcomes have come',
    bugs: { ports: (ports, _, fakes) => countTooEarly(ports, fakes) },
    scenario: 'outcomes come ticks later, and three times the errors',
  },
  { name: 'a stream has no wake-up', bugs: { ports: forgetDue } },
  { name: 'every engine believes to be alone', bugs: { allAlone: true } },
  {
    name: 'a machine counts its own 503 against a deployment that comes back',
    bugs: { countsItsOwn: true },
    scenario: 'a machine is restarted while a slow candidate bakes',
  },
  core(
    'a guard goes on while the machine is off',
    'model/rollout/verdicts.ts',
    'read.counted.until + unseenMs(rollout, read.counted, signal)',
    'read.counted.until',
    'a machine is off for longer than the guard of a candidate that fails with all the traffic',
  ),
  core(
    'a dataset that is refused is trained on',
    'model/run/profiling.ts',
    'return refused\n',
    'return refused && at < 0\n',
    'a dataset without labels is refused before anything is paid',
  ),
  core(
    'rows are counted from where their profile ended',
    'model/run/profiling.ts',
    'readOn(run, readingStart, at)',
    'readOn(run, run.reading, at)',
    'two datasets are profiled, validated and counted part by part',
  ),
  {
    name: 'a machine goes by its wall clock',
    bugs: { obeysTheWall: true },
    scenario: 'the wall clock is set back while a bad candidate bakes',
  },
  {
    name: 'a machine goes by its wall clock when that is set forward',
    bugs: { obeysTheWall: true },
    scenario: 'the wall clock is set forward while a candidate bakes',
  },
  core(
    'a redelivered webhook is not remembered',
    'model/decide.ts',
    'isRecorded(signal.type) ? begun.seen[signal.id] : undefined',
    'undefined',
  ),
  core(
    'a revert forgets the forward write',
    'model/endpoint/endpoint.ts',
    'forward !== undefined && begunAt < forward.until',
    'forward !== undefined && false',
    'an abort while the weight rises slowly',
    916,
  ),
  core(
    'a revert that is written first forgets the write before it',
    'model/endpoint/endpoint.ts',
    '...defined({ forward, operation }),',
    '...defined({ forward: operation === undefined ? forward : undefined, operation }),',
    'an abort while a later step rises slowly',
    1029,
  ),
  core(
    'a revert that is written first is not looked at',
    'model/endpoint/endpoint.ts',
    'return lookNext(endpoint, at + pause);',
    'return endpoint.desired.urgent ? converge(endpoint, bare(endpoint), at, false) : lookNext(endpoint, at + pause);',
    'an abort while the weight rises slowly',
  ),
  core(
    'a revert that is refused unseen is given up',
    'model/endpoint/endpoint.ts',
    'isUnseen(endpoint) ? lookNext(endpoint, at) : ',
    '',
    'a revert that is refused before anybody looked',
  ),
  core(
    'a stale answer is accepted',
    'model/leases.ts',
    'pending === undefined || pending.taken !== answer.taken',
    'pending === undefined',
  ),
  core('an effect that was taken is never free again', 'model/leases.ts', 'if (pending.until <= at) return true;', ''),
  core(
    'a spread loses the models of the one before',
    'project/project.ts',
    "project.status === 'spreading' ? project.spread : undefined",
    'undefined',
    'releases come faster than they spread',
  ),
  core(
    'a release is told only where the training changed',
    'engine/perform.ts',
    'canonical(planIn(config, name)) !== canonical(target(name))',
    'canonical(planIn(config, name)?.train) !== canonical(target(name)?.train)',
    'a config is released during a run, and again during a rollout',
  ),
  core('a slot is never released', 'model/between/rules.ts', 'tells: released,', 'tells: model.tells,'),
  core('an attempt is used again', 'model/run/jobs.ts', 'attempt + 1, at + pause', 'attempt, at + pause'),
  core('a weight rises before its deployment is ready', 'model/endpoint/wish.ts', "=== 'ready'", "!== 'failed'"),
  core(
    'nobody looks again after the last write',
    'model/endpoint/endpoint.ts',
    '[minute, 5 * minute, 15 * minute, 60 * minute]',
    '[]',
    'the candidate breaks when it is deployed',
    178,
  ),
  core(
    'a model that left before it was born is not remembered',
    'model/decide.ts',
    '(signal.plan ?? signal.was)',
    'signal.plan',
    'a model comes and goes faster than releases spread',
  ),
  core(
    'an alert replaces the rollback under way',
    'model/monitor/rule.ts',
    "if (goingBack) return instead('notify'",
    "if (model === undefined) return instead('notify'",
    'an alert comes during a rollback by hand',
  ),
  core(
    'the trainer is given the hold-out',
    'model/run/steps.ts',
    '...(run.train === undefined ? {} : { train: run.train })',
    '...(run.holdout === undefined ? {} : { all: run.holdout })',
  ),
  core(
    'a stopped job is not waited for',
    'model/run/table.ts',
    'jobStopAsked: (run, { at }) => ({ ...run, asked: true, job: { ...run.job, lookAt: at + second } })',
    'jobStopAsked: (run, { at }) => ({ ...bare(run), status: run.then, endedAt: at, because: run.because })',
    'a run is cancelled while it trains, and another is asked for',
  ),
  core(
    'a process that slept pays all the same',
    'engine/engine.ts',
    'now() + neededLeaseMs > last || ',
    '',
    'an abort while the weight rises slowly',
    299,
  ),
  core(
    'a tick is counted twice',
    'judge/evidence.ts',
    'if (tick.start < evidence.readTo) {',
    'if (tick.start < 0) {',
    'each tick is told twice',
  ),
  core(
    'ticks of the time in which the weight shifts are counted',
    'model/rollout/steps.ts',
    'Math.max(evidence.readTo, firstTick(at, plan.tick))',
    'Math.ceil(evidence.readTo / plan.tick) * plan.tick',
    'weights take ticks to change',
  ),
  core(
    'a tick is taken for one of the weight that comes next',
    'model/rollout/evidence.ts',
    'weight: candidateWeight(rollout),',
    "weight: ('step' in rollout ? rollout.steps[rollout.step + 1] : undefined) ?? candidateWeight(rollout),",
    'three times the errors',
  ),
  core(
    'labels are counted before they mature',
    'model/rollout/owes.ts',
    'const maturityMs = plan.guardrails.labels?.maturity ?? 0;',
    'const maturityMs = (plan.guardrails.labels?.maturity ?? 0) / 2;',
    'labels come before and after they mature',
  ),
  core(
    'evidence begins anew with each step',
    'model/rollout/steps.ts',
    'return { ...evidence, readTo, from:',
    'return { ...evidence, closed: 0, ticks: 0, streams: {}, routed: {}, readTo, from:',
    'a second drop goes through its canary',
  ),
  core(
    'one guardrail may be missing from a promotion',
    'judge/judge.ts',
    'return deciding.flatMap((guardrail) =>',
    'return deciding.slice(0, -1).flatMap((guardrail) =>',
    'labels come before and after they mature',
    105,
  ),
  core(
    'evidence decides although it was routed otherwise',
    'judge/judge.ts',
    'if (misrouted !== undefined || place.astray === true) {',
    'if (place.astray === true) {',
    'a gateway that shares out otherwise than it says',
  ),
  core(
    'a hold for routing keeps the weight on the candidate',
    'model/rollout/state.ts',
    'return rollout.backTo ?? rollout.steps',
    'return rollout.steps',
    'a gateway that shares out otherwise, and the candidate is well',
  ),
  core(
    'a hold for routing lasts as long as any other',
    'model/rollout/steps.ts',
    'Math.min(maxBlindMs, atMost, maxHold)',
    'maxHold',
    'a gateway that shares out otherwise, and the candidate is well',
  ),
  core(
    'what is routed otherwise is no evidence at all',
    'judge/judge.ts',
    'const harm = harmAsCame(evidence, rules);',
    'const harm = [harmAsCame(evidence, rules)].find(() => false);',
    'a gateway that shares out otherwise than it says',
  ),
  core(
    'what the candidate does while the champion has no request is forgotten',
    'judge/weather.ts',
    'before !== undefined && isSame && isBlamed ? plus(own, before) : own;',
    'own;',
    'so few requests that most minutes have those of one model',
  ),
  core(
    'the candidate is blamed before the champion has had a request',
    'judge/weather.ts',
    'own.map((log) => Math.min(log, 0))',
    'own',
    'so few requests that most minutes have those of one model',
  ),
  core(
    'time that nobody saw is waited for without end',
    'model/rollout/verdicts.ts',
    'unseenIn(rollout) <= maxHold',
    'unseenIn(rollout) >= 0',
    'a machine is off for longer than maxHold while a candidate bakes',
  ),
  core(
    'only the first weight has a warm-up',
    'model/rollout/steps.ts',
    'from: readTo + plan.warmUp * plan.tick',
    'from: evidence.from ?? readTo + plan.warmUp * plan.tick',
    'caches are cold after each change of weight',
  ),
  core(
    'the guard has no warm-up',
    'model/rollout/steps.ts',
    "evidence: fromNow(rollout, at, weight),\n      status: 'guarding',",
    "evidence: { ...fromNow(rollout, at, weight), from: 0 },\n      status: 'guarding',",
    'caches are cold after each change of weight',
  ),
  core(
    'the champion keeps nothing while the candidate is guarded',
    'model/rollout/state.ts',
    '100 - plan.guardShare',
    '100',
    'errors begin once the candidate is promoted',
  ),
  core(
    'harm is not acted upon while it is paused',
    'model/rollout/verdicts.ts',
    "if (verdict.kind === 'harm') {",
    "if (verdict.kind === 'harm' && rollout.status !== 'paused') {",
    'evidence comes while it is paused',
  ),
  core(
    'what a sink could not be told is given up',
    'engine/published.ts',
    "if (fault.code !== 'invalid' && !isOld) throw fault;",
    "if (fault.code !== 'invalid') return;",
    'a sink is down for an hour',
  ),
  core(
    'what a sink refuses for good is nowhere',
    'engine/published.ts',
    'await giveUp(',
    'await Promise.resolve(',
    'a sink is down for an hour',
  ),
  core(
    'a sink is told the newest first',
    'engine/published.ts',
    'return entries.toReversed().map(({ seq, at, events })',
    'return entries.map(({ seq, at, events })',
    'a sink joins while another',
  ),
  core(
    'a new sink makes the others forget what they were not told',
    'model/notified.ts',
    '[name, notifiedUpTo(model, name)]',
    '[name, model.lastEventSeq]',
    'a sink joins while another',
  ),
  core(
    'a file of labels that grew is taken for the one before',
    'engine/label-file.ts',
    'JSON.stringify(object)',
    'JSON.stringify(object.slice(0, 2))',
    'files of labels come, and one grows while it is read',
  ),
  core(
    'a file of labels that is busy is left to the look',
    'model/labels/labels.ts',
    'next({ ...idle(files), busy }, at, context)',
    'next(idle(files), at, context)',
    'files of labels come, and one grows while it is read',
    82,
  ),
  core(
    'less is taken for more in the gate',
    'model/run/gate.ts',
    "direction === 'up' ? reaches(value, champion - bound, slack)",
    'true ? reaches(value, champion - bound, slack)',
    'the second version loses more than the champion',
  ),
  core(
    'the greatest value of the gate is taken for the least',
    'model/run/gate.ts',
    'return reaches(bound, value);',
    'return reaches(value, bound);',
    'the second version loses more than it may at all',
  ),
  core(
    'a metric that was not measured passes the gate',
    'model/run/gate.ts',
    'passed: value !== undefined && passes(name, rule.direction, value, bound, other),',
    'passed: value === undefined || passes(name, rule.direction, value, bound, other),',
    'the second version was scored by another metric',
  ),
  core(
    'a tie is refused',
    'model/run/gate.ts',
    'value >= bound - Math.max(',
    'value > bound + Math.max(',
    'the second version is as good as it has to be, and not more',
  ),
  core(
    'a marker releases whatever comes after it',
    'model/intake/intake.ts',
    'releaseOf(found, plan) !== released',
    "releaseOf(found, plan) !== 'none'",
    'a marker left from the drop before',
  ),
  core(
    'a file that was overwritten by one of its size is nothing new',
    'engine/dataset.ts',
    'JSON.stringify([key, version, bytes])',
    'JSON.stringify([key, bytes])',
    'a file is overwritten by one of the same size, among markers and folders',
  ),
  core(
    'markers are data',
    'base/data-files.mjs',
    "if (parts.some(isHidden)) return bytes === 0 ? 'marker' : 'hidden';",
    '',
    'a file is overwritten by one of the same size, among markers and folders',
  ),
  core(
    'the shadow is forgotten',
    'model/rollout/state.ts',
    'return atStep ? rollout.plan.mirror : 0;',
    'return 0;',
    'a shadow, then its steps',
  ),
  core(
    'a run that came to nothing is taken for one with equal inputs',
    'model/between/rules.ts',
    'finished: conclusive ?',
    "finished: conclusive || run.status === 'cancelled' ?",
    'a run is cancelled while it trains, and another is asked for',
  ),
  core('what ended is replaced at once', 'model/between/runs.ts', 'model.settledRun !== before?.settledRun ||', ''),
  core(
    'a candidate starts while an alert fires',
    'model/between/offer.ts',
    'if (heldBy(model).length > 0) return model;',
    '',
    'an alert goes on firing while new candidates come',
  ),
  core(
    'an override speaks for every alert',
    'model/monitor/monitor.ts',
    "if (releasing && alert.kind === 'alert')",
    "if (releasing && alert.kind === 'alert' && Object.keys(monitor.alerts).length === 0)",
    'somebody overrides the alert that holds a candidate, and another one fires',
  ),
  core(
    'an end that was told before its alert is forgotten',
    'model/monitor/monitor.ts',
    'endedAt === undefined ? monitor : withEnd(',
    'endedAt !== undefined ? monitor : withEnd(',
    'an alert that ended before a rollout is told during it',
  ),
  core(
    'the cooldown protects every version',
    'model/monitor/monitor.ts',
    'wentBack?.to === champion && ',
    '',
    'the champion that came after a rollback is taken back as well',
  ),
  core(
    'drift starts runs without a cooldown',
    'model/monitor/monitor.ts',
    'Math.max(alert.at, ...runs.map((run) => run + cooldown))',
    'Math.max(alert.at, ...runs)',
    waits,
  ),
  core(
    'drift that waited for the cooldown starts no run',
    'model/monitor/rule.ts',
    'waiting(model.monitor).reduce((state, firing) => endWait(state, firing, moment), obey(model, moment))',
    'obey(model, moment)',
    waits,
  ),
  core(
    'the end of the cooldown wakes no model',
    'model/monitor/monitor.ts',
    '(until > at ? [until] : [])',
    '(until > at ? [] : [])',
    waits,
  ),
  core(
    'drift that begins within the cooldown is only told',
    'model/monitor/monitor.ts',
    "? { do: 'wait', because:",
    "? { do: 'notify', because:",
    waits,
  ),
  ...crowdBugs,
  ...driftBugs,
  ...performanceBugs,
  ...shapedBugs,
];

export interface Hunt {
  readonly seed?: number;
  readonly invariant?: string;
}

/** A seed that finds a bug, of so many. */
export async function hunt(bug: PlantedBug, most: number): Promise<Hunt> {
  if (bug.change !== undefined) return huntInCopy(bug, bug.change, most);
  const shape = bug.shape === undefined ? undefined : shapes[bug.shape];
  const known = shape === undefined ? scenarios : scenariosOn(shape);
  const named = known.find(({ name }) => name === bug.scenario);
  for (const seed of seedsFrom(bug.seed, most)) {
    const { problem } = await runPlan({
      ...(shape === undefined ? planOf(seed, named) : shapedPlanOf(seed, shape, named)),
      ...(bug.bugs === undefined ? {} : { bugs: bug.bugs }),
    });
    if (problem !== undefined) return { seed, invariant: problem.message };
  }
  return {};
}

const root = fileURLToPath(new URL('../..', import.meta.url));

let made: string | undefined;

/** A copy of core, platform and simulation: one for all hunts of a thread, and gone with it. */
function copyOfAll(): string {
  if (made !== undefined) return made;
  const copy = mkdtempSync(join(tmpdir(), 'serin-planted-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  for (const folder of ['packages/core', 'packages/platform', 'test/simulation'])
    cpSync(join(root, folder), join(copy, folder), { recursive: true });
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  mkdirSync(join(copy, 'node_modules/@serin'), { recursive: true });
  for (const name of ['core', 'platform'])
    symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules/@serin', name));
  for (const dependency of ['zod', '@noble'])
    symlinkSync(join(root, 'node_modules', dependency), join(copy, 'node_modules', dependency));
  made = copy;
  return copy;
}

/** The change in a copy, run by a process of its own; what it compiles it compiles for all hunts. */
function huntInCopy({ scenario, shape, seed }: PlantedBug, change: Change, most: number): Hunt {
  const copy = copyOfAll();
  const path = join(copy, 'packages', change.file);
  const source = readFileSync(path, 'utf8');
  const planted = plantedIn(source, change);
  if (planted === source)
    throw new Error(`the bug cannot be planted any more: '${change.from}' is not in ${change.file}`);
  writeFileSync(path, planted);
  try {
    const main = join(copy, 'test/simulation/main.ts');
    const where = [
      ...(scenario === undefined ? [] : ['--scenario', scenario]),
      ...(shape === undefined ? [] : ['--shape', shape]),
      ...(seed === undefined ? [] : ['--seed', String(seed)]),
    ];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [main, '--until-failure', '--runs', String(most), ...where],
      { encoding: 'utf8', env: { ...process.env, NODE_COMPILE_CACHE: join(copy, 'compiled') } },
    );
    const found = /^found by seed (\d+): (.*)$/m.exec(stdout);
    if (found === null && !/^nothing found$/m.test(stdout)) throw new Error(`the copy did not run: ${stderr}`);
    return found === null ? {} : { seed: Number(found[1]), invariant: found[2] ?? '' };
  } finally {
    writeFileSync(path, source);
  }
}
