import { countText } from '../../base/numbers.ts';
import { agoText, momentText } from '../../base/time.ts';
import { cleanWindowsToResolve, type Incident } from '../../drift/incident.ts';
import type { Model } from '../state.ts';
import { versionOf } from '../version.ts';
import { fewestRows } from './drift.ts';

/** What is known of the drift of a model, in one line: what happened, how sure it is, and what is waited for. */
export function driftText(model: Model, now: number): string {
  const { drift } = model;
  if (drift === undefined) return silenceText(model);
  const { incident, windows, because, until, few, from } = drift;
  const last = windows.at(-1);
  const next = until > now ? `the next window ends ${agoText(until, now)}` : 'a window is being counted';
  const waits =
    few === undefined
      ? next
      : `${countText(few, 'row')} captured since ${momentText(from)}, and ${fewestRows} are needed: send requests that the model answers, or raise monitor.capture.share; ${next}`;
  const failed = because === undefined ? '' : `; the last window could not be judged: ${because}`;
  if (incident !== undefined)
    return `${incident.level === 'notice' ? 'a small change: ' : ''}${titleOf(incident)}, since ${momentText(incident.since)}; ${endText(incident)}${failed}`;
  if (last === undefined)
    return `no window of requests was judged against the data of v${drift.version} yet; ${waits}${failed}`;
  const { rows, size, evidence, threshold } = last;
  return `no drift from the data of v${drift.version}: in the last window (${countText(rows, 'row')}) the largest difference is ${size.toFixed(3)}, with evidence ${evidence.toPrecision(2)} of the ${threshold} that an alarm needs; ${waits}${failed}`;
}

function silenceText({ plan, champion, versions, retired }: Model): string {
  const off = 'drift is not judged';
  if (retired) return `${off}: the model left the config`;
  if (plan.monitor.drift === undefined) return `${off}: give monitor.drift and monitor.capture in the config`;
  if (champion === undefined) return `${off}: no version serves`;
  return versionOf(versions, champion)?.data?.reference === undefined
    ? `${off}: v${champion} was trained before the config had monitor.drift; start a run, and its version has a reference`
    : `${off} yet`;
}

const endText = ({ clean }: Incident): string =>
  clean === 0
    ? `${cleanWindowsToResolve} windows without drift end it`
    : `${countText(cleanWindowsToResolve - clean, 'more window')} without drift end it`;

/** Which columns drifted, and by how much at most: one line. */
export function titleOf({ columns, size }: Incident): string {
  const [first = '', ...more] = columns;
  const named = `${first.replace(/\s+/g, ' ').slice(0, 60)}${more.length === 0 ? '' : ` and ${countText(more.length, 'more column')}`}`;
  return `column ${named} drifted from the training data, by ${size.toFixed(2)}`;
}
