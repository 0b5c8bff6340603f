import { countText, grouped } from '../../base/numbers.ts';
import { agoText, momentText } from '../../base/time.ts';
import { answersName, answersWords, columnWords, enoughAnswers } from '../../drift/answers.ts';
import { cleanWindowsToResolve, type Incident } from '../../drift/incident.ts';
import { listed, named } from '../../drift/report.ts';
import { ownNext } from '../monitor/own.ts';
import type { Model } from '../state.ts';
import { versionOf } from '../version.ts';
import { answersOff, isShort } from './answers.ts';
import { type Drift, fewestRows, type WindowSeen } from './drift.ts';

/** What is known of the drift of a model, in one line: what happened, how sure it is, and what is waited for. */
export function driftText(model: Model, now: number): string {
  const { drift } = model;
  if (drift === undefined) return silenceText(model);
  const { incident, windows, because, until, few, from, unread } = drift;
  const last = windows.at(-1);
  const next = until > now ? `the next window ends ${agoText(until, now)}` : 'a window is being counted';
  const waits =
    few === undefined
      ? next
      : `${countText(few, 'row')} captured since ${momentText(from)}, and ${fewestRows} are needed${unread === undefined ? ': send requests that the model answers, or raise monitor.capture.share' : ''}; ${next}`;
  const failed = `${because === undefined ? '' : `; the last window could not be judged: ${because}`}${blindText(drift)}`;
  if (incident !== undefined)
    return `${noticeText(incident, model.plan)}${titleOf(incident)}, since ${momentText(incident.since)}${ownNext(model, 'drift', now)}; ${endText(incident)}${failed}`;
  if (last === undefined)
    return `no window of requests was judged against the data of v${drift.version} yet; ${waits}${failed}`;
  const { rows, size } = last;
  return `no drift from the data of v${drift.version}: in the last window (${countText(rows, 'row')}) the largest difference is ${size.toFixed(3)}, ${lackOf(last, model)}; ${waits}${failed}`;
}

/** What was captured and is not compared. */
function blindText({ unread, absent = [] }: Drift): string {
  const requests =
    unread === undefined
      ? ''
      : `; ${countText(unread.requests, 'captured request')} could not be read: the first because ${unread.first}`;
  const fields =
    absent.length === 0 ? '' : `; not compared, as the training data has no such column: ${listed(absent.map(named))}`;
  return requests + fields;
}

/** Why an incident is told, and starts nothing. */
function noticeText({ level, size }: Incident, { monitor }: Model['plan']): string {
  if (level === 'major') return '';
  return size < (monitor.drift?.major ?? 0) ? 'a small change: ' : 'a change that may be usual: ';
}

/** Which of its two gates a window did not pass. */
const lackOf = ({ evidence, threshold }: WindowSeen, { plan }: Model): string =>
  evidence < threshold
    ? `with evidence ${evidence.toPrecision(2)} of the ${threshold} that an alarm needs`
    : `of the ${plan.monitor.drift?.notice ?? 0} that an alarm needs`;

function silenceText({ plan, champion, versions, retired }: Model): string {
  const off = 'drift is not judged';
  if (retired) return `${off}: the model left the config`;
  if (plan.monitor.drift === undefined) return `${off}: give monitor.drift and monitor.capture in the config`;
  if (champion === undefined) return `${off}: no version serves`;
  return versionOf(versions, champion)?.data?.reference === undefined
    ? `${off}: v${champion} was trained before the config had monitor.drift; start a run with --force, and its version has a reference`
    : `${off} yet`;
}

const endText = ({ clean }: Incident): string =>
  clean === 0
    ? `${cleanWindowsToResolve} windows without drift end it`
    : `${countText(cleanWindowsToResolve - clean, 'more window')} without drift end it`;

/** Which columns drifted, and by how much at most: one line. */
export function titleOf({ columns, size }: Incident): string {
  const [first, ...more] = columns.filter((name) => name !== answersName);
  const others = more.length === 0 ? [] : [countText(more.length, 'more column')];
  const answers = columns.includes(answersName) ? [answersWords] : [];
  const named = listText([...(first === undefined ? [] : [columnWords(first)]), ...others, ...answers]);
  const from = answers.length === 0 ? 'the training data' : 'what they were';
  return `${named} drifted from ${from}, by ${size.toFixed(2)}`;
}

/** `a, b and c` */
const listText = (names: readonly string[]): string =>
  [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((text) => text !== '').join(' and ');

/** Whether the answers of the version are compared, with what, and what that cannot show: one line. */
export function answersText({ plan, drift }: Model): string | undefined {
  if (drift === undefined) return undefined;
  if (answersOff(plan)) return `${answersWords} are not compared: monitor.drift.columns has '${answersName}': 'off'`;
  const { since = 0, until = 0, rows = 0, reference } = drift.answers ?? {};
  if (reference === undefined)
    return `${answersWords} are not compared yet: ${grouped(rows)} of ${countText(enoughAnswers, 'answer')} and at least one whole window will be what later ones of v${drift.version} are compared with${drift.incident === undefined ? '' : '; windows of the incident are no part of it'}`;
  return `${answersWords} are compared with ${countText(rows, 'answer')} of v${drift.version} from ${momentText(since)} to ${momentText(until)}: what was wrong from the first day is not seen in them${isShort({ since, until }) ? '; that is less than a week, so if they alone drift it is only told' : ''}`;
}
