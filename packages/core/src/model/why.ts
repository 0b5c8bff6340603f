import { shortId } from '../base/ids.ts';
import { bytesText, countText } from '../base/numbers.ts';
import { durationText, instant, momentText } from '../base/time.ts';
import { stepPlan } from '../config/parts.ts';
import type { Certificate } from '../judge/certificate.ts';
import { failing, logHarm } from '../judge/judge.ts';
import { didText } from '../sinks/sentence.ts';
import { heldBy } from './between/offer.ts';
import { unreadyText } from './endpoint/endpoint.ts';
import { intakeNews, intakeText, leftOutTexts } from './intake/intake.ts';
import { firingName, firingText, holding, shortName, waiting } from './monitor/monitor.ts';
import { waitsText } from './monitor/rule.ts';
import { untoldTexts } from './notified.ts';
import { rulesFor } from './rollout/evidence.ts';
import { nextInHold } from './rollout/next.ts';
import { candidateWeight, type Rollout } from './rollout/state.ts';
import { type GateVerdict, gateText } from './run/gate.ts';
import { profilingText } from './run/profiling.ts';
import type { Run, Working } from './run/state.ts';
import type { Model } from './state.ts';
import { type DataSeen, type Version, versionOf } from './version.ts';

/** Why something is as it is: one line that names the rule and its numbers, the numbers by name, and how it came to be. */
export interface Why {
  /** Never more than one line. */
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number>>;
  /** Oldest first; `at` is RFC 3339. */
  readonly story: readonly { readonly at: string; readonly text: string }[];
  /** Of a rollout whose evidence was judged. */
  readonly certificate?: Certificate;
}

type Line = Why['story'][number];

/** Why a run ended as it did, or what it waits for. */
export function whyRun(run: Run, model: string): Why {
  const verdict = 'verdict' in run ? run.verdict : undefined;
  const metrics = { ...named('trained', run.trained?.metrics), ...named('challenger', run.scored) };
  return why(
    `run ${shortId(run.id)} of ${model} ${runText(run, model)}`,
    { ...metrics, ...gateNumbers(verdict) },
    runTimeline(run, model),
  );
}

/** Why a rollout went forward, waits or went back. */
export function whyRollout(rollout: Rollout, model: string): Why {
  const subject = `${rollout.kind === 'rollback' ? 'the rollback to' : 'the rollout of'} v${rollout.candidate} of ${model}`;
  const timeline = rollout.story.map(({ at, text }) => line(at, text));
  const begun = line(rollout.startedAt, `started by ${rollout.by}`);
  const said = why(`${subject} ${rolloutText(rollout)}`, rolloutNumbers(rollout), [begun, ...timeline]);
  return rollout.certificate === undefined ? said : { ...said, certificate: rollout.certificate };
}

const decisionText = ({ status, by, note }: NonNullable<Version['approval']>): string =>
  `${status} by ${by ?? 'nobody'}${note === undefined ? '' : `: ${note}`}`;

/** Why a version serves, does not serve any more, or never did; `now` is what "ago" counts from. */
export function whyVersion(version: Version, model: Model, now: number): Why {
  const { number, verdict, approval, quarantined, restored } = version;
  const timeline = [
    line(version.at, `trained by ${shortId(version.run)} on ${version.dataset.slice(0, 12)}`),
    ...(verdict === undefined ? [] : [line(version.at, `the gate ${gateText(verdict)}`)]),
    ...(approval?.at === undefined ? [] : [line(approval.at, decisionText(approval))]),
    ...model.served
      .filter((served) => served.version === number)
      .map(({ at, because }) => line(at, `became the champion: ${because}`)),
    ...(restored === undefined ? [] : [line(restored.at, restoredText(restored))]),
    ...(quarantined === undefined ? [] : [line(quarantined.at, `quarantined: ${quarantined.because}`)]),
  ];
  const numbers = { version: number, ...named('trained', version.metrics), ...gateNumbers(verdict) };
  const rollout = model.rollout?.candidate === number ? model.rollout : undefined;
  return why(
    `v${number} of ${model.model} ${versionText(version, model, now)}`,
    { ...numbers, ...(rollout === undefined ? {} : rolloutNumbers(rollout)) },
    timeline,
  );
}

const restoredText = ({ by, because, was }: NonNullable<Version['restored']>): string =>
  `restored by ${by}: ${because}${was === undefined ? '' : ` (it was quarantined: ${was})`}`;

/** Why a model serves what it serves, and what is under way at `now`. */
export function whyModel(model: Model, now: number): Why {
  const { run, rollout, champion, served, skipped } = model;
  const timeline = [
    ...served
      .slice(-10)
      .map(({ at, version, because }) => line(at, `v${version ?? 0} became the champion: ${because}`)),
    ...Object.values(model.versions).flatMap(({ number, quarantined, restored }) => [
      ...(restored === undefined ? [] : [line(restored.at, `v${number} was ${restoredText(restored)}`)]),
      ...(quarantined === undefined
        ? []
        : [line(quarantined.at, `v${number} was quarantined: ${quarantined.because}`)]),
    ]),
    ...Object.values(model.monitor.alerts).map((firing) =>
      line(firing.at, `${firingName(firing)} fires: ${waitsText(model, firing, now) ?? didText[firing.did]}`),
    ),
    ...(rollout?.story ?? []).map(({ at, text }) => line(at, `v${rollout?.candidate}: ${text}`)),
    ...(run !== undefined && 'endedAt' in run
      ? [line(run.endedAt, `run ${shortId(run.id)} ${runText(run, model.model)}`)]
      : []),
    ...(skipped === undefined ? [] : [line(skipped.at, `no run by ${skipped.trigger}: ${skipped.because}`)]),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const numbers = {
    ...(champion === undefined ? {} : { champion }),
    ...(rollout === undefined ? {} : rolloutNumbers(rollout)),
  };
  return why(`${model.model} ${modelText(model, now)}`, numbers, timeline);
}

const why = (sentence: string, numbers: Why['numbers'], timeline: readonly Line[]): Why => ({
  sentence: oneLine(sentence),
  numbers,
  story: timeline,
});
/** Reasons may quote the end of a log. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
const line = (at: number, text: string): Line => ({ at: instant(at), text: oneLine(text) });

function stepText({ status, job }: Working): string {
  const { waiting, running } = stepPlan(job.part);
  return status === running[0] ? running[1] : waiting[1];
}

function runText(run: Run, model: string): string {
  switch (run.status) {
    case 'validating':
      return run.checked ? 'waits for a free slot' : 'waits until its dataset is checked';
    case 'profiling':
      return profilingText(run);
    case 'registering':
      return `is being registered${run.verdict === undefined ? '' : `; the gate ${gateText(run.verdict)}`}`;
    case 'stopping':
      return `is being stopped: ${run.because}`;
    case 'succeeded':
      return `succeeded: ${run.because}`;
    case 'refused':
      if (run.verdict === undefined)
        return `ended before anything was paid: ${run.because}; mend the data, or release looser checks (validate) and run 'serin runs start ${model}'; without either it needs --force`;
      // The verdict's own text begins with the word.
      return `was ${run.because.startsWith('refused') ? run.because : `refused: ${run.because}`}`;
    case 'failed':
      return `failed: ${run.because}`;
    case 'cancelled':
      return `was cancelled: ${run.because}`;
    default:
      return `${stepText(run)} (${run.job.part}, attempt ${run.job.attempt})`;
  }
}

function runTimeline(run: Run, model: string): readonly Line[] {
  const { trigger, dataset } = run;
  return [
    line(run.startedAt, `started by ${trigger.by ?? trigger.kind} (${trigger.kind})`),
    line(
      run.startedAt,
      [
        `dataset ${dataset.digest.slice(0, 12)}: ${countText(dataset.objects, 'object')}, ${bytesText(dataset.bytes)}`,
        ...leftOutTexts(dataset),
      ].join('; '),
    ),
    ...(run.data === undefined ? [] : [line(run.startedAt, dataText(run.data))]),
    ...(run.trained === undefined ? [] : [line(run.startedAt, `trained v${run.trained.number}`)]),
    ...Object.entries(run.unread ?? {}).map(([part, unread]) =>
      line(run.startedAt, `metrics of the ${part} job that were not taken: ${unreadText(unread)}`),
    ),
    ...('endedAt' in run ? [line(run.endedAt, runText(run, model))] : []),
  ];
}

const dataText = ({ profile, rows, report }: DataSeen): string =>
  `dataset profiled: ${countText(rows, 'row')} (profile ${profile.slice(0, 12)}${report === undefined ? '' : `, report ${report.slice(0, 12)}`})`;

const unreadText = (unread: Readonly<Record<string, string>>): string =>
  Object.entries(unread)
    .map(([name, because]) => `${name} (${because})`)
    .join(', ');

function rolloutText(rollout: Rollout): string {
  const weight = candidateWeight(rollout);
  const { candidate } = rollout.evidence;
  const seen = `${candidate.requests} requests, ${candidate.errors} failed`;
  switch (rollout.status) {
    case 'deploying':
      return 'waits until its deployment is ready';
    case 'shifting':
      return `waits until the endpoint has taken ${weight} %`;
    case 'baking':
      return `bakes at ${weight} % until ${momentText(rollout.until)}: ${seen}`;
    case 'paused':
      return `is paused at ${weight} % until ${momentText(rollout.endsAt)}: ${seen}`;
    case 'held':
      return `is held ${weight === 0 ? 'without traffic' : `at ${weight} % of the traffic`}: ${rollout.because}${rollout.gathering ? '' : `; for orientation only: ${failing(rollout.evidence)}`}. Now: ${nextInHold(rollout)}`;
    case 'promoting':
      return `waits until the endpoint has taken all traffic: ${seen}`;
    case 'guarding':
      return `has all traffic and is guarded until ${momentText(rollout.until)}: ${seen}`;
    case 'reverting':
      return `is being taken back: ${rollout.because.text}`;
    case 'promoted':
      return `${rollout.kind === 'rollback' ? 'is done' : 'was promoted'}: ${rollout.because}`;
    case 'rolledBack':
      return `was rolled back: ${rollout.because.text}`;
    case 'aborted':
      return rollout.because.text.startsWith('aborted')
        ? `was ${rollout.because.text}`
        : `was aborted: ${rollout.because.text}`;
  }
}

function rolloutNumbers(rollout: Rollout): Why['numbers'] {
  const { certificate } = rollout;
  const { candidate, stable, ticks } = rollout.evidence;
  const { share, minRequests } = rollout.plan.limits.errors;
  const rules = rulesFor(rollout);
  return {
    version: rollout.candidate,
    ...(rollout.stable === undefined ? {} : { stable: rollout.stable }),
    weight: candidateWeight(rollout),
    'candidate.requests': candidate.requests,
    'candidate.errors': candidate.errors,
    'stable.requests': stable.requests,
    'stable.errors': stable.errors,
    'limit.errors.share': share,
    'limit.errors.minRequests': minRequests,
    ticks,
    logE: certificate?.logE ?? finite(logHarm(rollout.evidence, rules)),
    'logE.rollback': Math.log(1 / rules.alpha),
    'logE.promotion': Math.log(1 / rules.beta),
    ...Object.fromEntries(
      (certificate?.guardrails ?? []).flatMap(({ streams }) =>
        streams.flatMap(({ id, logE, logSafe, ratio }) => [
          [`${id}.logE`, logE],
          ...(logSafe === undefined ? [] : [[`${id}.logSafe`, logSafe]]),
          [`${id}.ratio.low`, ratio.low],
          ...(ratio.high === undefined ? [] : [[`${id}.ratio.high`, ratio.high]]),
        ]),
      ),
    ),
  };
}

/** Before the first evidence there is none: E is 1. */
const finite = (log: number): number => (Number.isFinite(log) ? log : 0);

function versionText(version: Version, model: Model, now: number): string {
  const { number, approval, verdict, quarantined } = version;
  const rollout = model.rollout?.candidate === number ? model.rollout : undefined;
  if (quarantined !== undefined) return `is quarantined: ${quarantined.because}`;
  if (model.champion === number) return `is the champion: ${lastServed(model, now)}`;
  if (rollout !== undefined && !('endedAt' in rollout)) return `is being rolled out: it ${rolloutText(rollout)}`;
  const isOffered = model.offered?.version === number && approval?.status === 'approved';
  if (isOffered) return `${waitText(model, number)}${gateNote(verdict)}`;
  if (rollout?.status === 'aborted') return `does not serve: its rollout ${rolloutText(rollout)}`;
  if (approval?.status === 'pending')
    return `waits for approval${approval.expiresAt === undefined ? '' : ` until ${momentText(approval.expiresAt)}`}${gateNote(verdict)}`;
  if (approval !== undefined && approval.status !== 'approved')
    // Records from before have a version that was superseded as expired.
    return `was never rolled out: ${approval.by?.startsWith('superseded') ? approval.by : decisionText(approval)}`;
  if (verdict?.passed === false) return `was ${gateText(verdict)}`;
  if (model.served.some((served) => served.version === number))
    return 'served before, and was followed by another version';
  return approval === undefined
    ? 'was never offered: its run has not passed'
    : `is ${approval.status}${gateNote(verdict)}`;
}

const gateNote = (verdict: GateVerdict | undefined): string =>
  verdict === undefined ? '' : `; the gate ${gateText(verdict)}`;

function modelText(model: Model, now: number): string {
  const { champion, rollout, run, freeze, endpoint, offered } = model;
  const parts = [
    champion === undefined ? 'has no champion' : `has the champion v${champion}: ${lastServed(model, now)}`,
    alertsText(model, now),
    freeze === undefined ? '' : `it is frozen by ${freeze.by}: ${freeze.because}`,
    endpoint.status === 'blocked' ? `its endpoint is blocked: ${endpoint.because}` : '',
    ...unreadyText(endpoint),
    rollout === undefined || (rollout.status === 'promoted' && rollout.candidate === champion)
      ? '' // That it serves, and since when, is said of the champion.
      : `v${rollout.candidate} ${rolloutText(rollout)}`,
    // What a passing run offered speaks for itself, and so does the rollout of its version.
    run === undefined || (run.status === 'succeeded' && run.trained?.number === rollout?.candidate)
      ? ''
      : `run ${shortId(run.id)} ${runText(run, model.model)}`,
    queuedText(model),
    offered === undefined ? '' : offerText(model, offered.version, now),
    ...(run === undefined || model.intake.status !== 'idle'
      ? [intakeText(model.intake, now)]
      : intakeNews(model.intake).map((text) => `its data: ${text}`)),
    ...untoldTexts(model),
    model.retired ? 'it left the config' : '',
  ];
  return parts.filter((part) => part !== '').join('; ');
}

/** What a run waits for that was asked for and has not begun. */
function queuedText({ queued, freeze, run }: Model): string {
  if (queued === undefined) return '';
  const behind = run === undefined || 'endedAt' in run ? 'data' : `the end of run ${run.id}`;
  return `a run by ${queued.trigger.kind} waits for ${freeze === undefined ? behind : 'the end of the freeze'}`;
}

function alertsText(model: Model, now: number): string {
  const firing = firingText(model.monitor, ' has been firing');
  if (firing === '') return '';
  const holds = holding(model.monitor, model.plan.alerts).length > 0;
  const version = holds && heldBy(model).length > 0 ? model.offered?.version : undefined;
  const nothing = holds ? ', and nothing else starts to roll out' : '';
  const held = version === undefined ? nothing : ` and holds v${version}`;
  return `${firing}${held}${waitingText(model, now)}`;
}

/** What the first alert that waits will do: it need not be the one that is named as firing. */
function waitingText(model: Model, now: number): string {
  const [first] = waiting(model.monitor);
  if (first === undefined) return '';
  const isNamed = Object.values(model.monitor.alerts)[0] === first;
  return `${isNamed ? '' : `; ${shortName(first)}`}: ${waitsText(model, first, now)}`;
}

/** What an offered version waits for, and how it can be let go. */
function waitText(model: Model, number: number): string {
  const held = heldBy(model);
  if (model.freeze !== undefined) return `waits for the end of the freeze, then for its rollout`;
  if (held.length > 0)
    return `waits until ${held.map(firingName).join(', ')} is resolved; 'serin versions approve ${model.model} ${number} --override "<why>"' lets it start all the same`;
  const { rollout } = model;
  return rollout !== undefined && !('endedAt' in rollout)
    ? `waits for its rollout, behind that of v${rollout.candidate}, which is ${rollout.status}`
    : 'waits for its rollout';
}

function offerText(model: Model, number: number, now: number): string {
  const version = versionOf(model.versions, number);
  return version === undefined ? '' : `v${number} ${versionText(version, model, now)}`;
}

function lastServed({ served, champion }: Model, now: number): string {
  const last = served.findLast(({ version }) => version === champion);
  return last === undefined
    ? 'not known since when'
    : `${last.because} (${durationText(Math.max(0, now - last.at))} ago)`;
}

/** Every number that decided, by metric: `auc.challenger`, `auc.champion`, `auc.noWorseBy`. */
function gateNumbers(verdict: GateVerdict | undefined): Why['numbers'] {
  return Object.assign(
    {},
    ...(verdict?.checks ?? []).map(({ metric, rule, bound, challenger, champion }) => ({
      ...(challenger === undefined ? {} : { [`${metric}.challenger`]: challenger }),
      ...(champion === undefined ? {} : { [`${metric}.champion`]: champion }),
      [`${metric}.${rule}`]: bound,
    })),
  );
}

const named = (prefix: string, metrics: Readonly<Record<string, number>> = {}): Why['numbers'] =>
  Object.fromEntries(Object.entries(metrics).map(([metric, value]) => [`${metric}.${prefix}`, value]));
