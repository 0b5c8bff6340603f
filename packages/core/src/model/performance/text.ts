import { countText, grouped, percent } from '../../base/numbers.ts';
import { agoText, momentText } from '../../base/time.ts';
import { cleanWindowsToResolve } from '../../drift/incident.ts';
import {
  classMeasures,
  errorMeasures,
  leastLabels,
  leastPositives,
  lossOf,
  type Measured,
  type Outcomes,
} from '../../drift/outcomes.ts';
import { ownNext } from '../monitor/own.ts';
import type { Model } from '../state.ts';
import type { LossIncident } from './incident.ts';
import { firstLabels, type LossWindow, lastWindow, limitOf, type Performance } from './performance.ts';
import { lastTruths } from './truths.ts';

/** What labels say of the champion, in one line: how good it is, how sure that is, and what is waited for. */
export function performanceText(model: Model, now: number): string {
  const { performance } = model;
  if (performance === undefined) return silenceText(model);
  const { incident, because } = performance;
  const said = incident === undefined ? lastText(performance) : openText(incident, ownNext(model, 'performance', now));
  return [
    said,
    wrongText(performance),
    truthsText(performance, model.plan),
    because === undefined ? '' : `nothing is said of the last window: ${because}`,
    limitOf(performance, model.plan) === undefined
      ? `its limit is known after ${grouped(firstLabels)} labels (${grouped(performance.first.labels)} so far)`
      : '',
    nextText(performance, now),
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function silenceText({ plan, champion, retired }: Model): string {
  const off = 'performance is not judged';
  if (retired) return `${off}: the model left the config`;
  if (plan.monitor.performance === undefined) return `${off}: give monitor.performance in the config, and send labels`;
  return champion === undefined ? `${off}: no version serves` : `${off} yet`;
}

const openText = (incident: LossIncident, next: string): string =>
  `${lossTitle(incident)}, since ${momentText(incident.since)}${next}; ${endText(incident)}`;

const endText = ({ clean, limit, isLoss }: LossIncident): string =>
  `${countText(cleanWindowsToResolve - clean, clean === 0 ? 'window' : 'more window')} in a row with at most ${amount(limit, isLoss)} end it`;

function lastText(performance: Performance): string {
  const last = lastWindow(performance);
  if (last === undefined) return `no window of v${performance.version} was judged by its labels yet`;
  const { evidence, limit } = last;
  const sure = evidence === undefined ? '' : `, evidence ${evidence.toPrecision(2)}`;
  return `${windowText(last)}${limit === undefined ? '' : `; the limit is ${amount(limit, isLoss(last))}${sure}`}`;
}

/** A place where no prediction is looks like a model that is never right. */
function wrongText(performance: Performance): string {
  const last = lastWindow(performance);
  return last !== undefined && last.lost === last.labels
    ? 'no prediction was right, as if it were looked for in the wrong place, or truths were written otherwise: see monitor.performance.prediction'
    : '';
}

/** What the last truths say beyond what is lost, or what lacks before they do; empty without truths. */
function truthsText(performance: Performance, { monitor }: Model['plan']): string {
  const last = lastTruths(performance);
  if (last === undefined) return '';
  const text = classText(last.outcomes, `'${monitor.performance?.positive}'`) || errorText(last.outcomes);
  return last.windows === 1 ? text : `in the last ${last.windows} windows ${text}`;
}

function classText(outcomes: Outcomes, positive: string): string {
  const measures = classMeasures(outcomes);
  if (measures === undefined || outcomes.classes === undefined) return '';
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = outcomes.classes;
  const positives = truePositives + falseNegatives;
  if ('lacks' in measures) {
    const lacks = {
      positives: `below ${leastPositives} truths of it, and ${positives} came`,
      labels: `below ${leastLabels} truths, and ${positives + falsePositives + trueNegatives} came`,
      coverage: 'where less than half of the predictions have a truth',
    }[measures.lacks];
    return `precision and recall of ${positive} are not said ${lacks}`;
  }
  const { precision, recall } = measures;
  const precisely =
    precision === undefined
      ? `${positive} was never predicted`
      : `precision of ${positive} ${between(precision, percent)}`;
  return `${precisely}, recall ${between(recall, percent)}`;
}

function errorText(outcomes: Outcomes): string {
  const measures = errorMeasures(outcomes);
  if (measures === undefined || outcomes.errors === undefined) return '';
  const { numbers, unknown } = outcomes.errors;
  const unread = unknown === 0 ? '' : `, without ${countText(unknown, 'error')} that nobody knows`;
  if ('lacks' in measures) return `mean errors are not said: ${numbers} of the errors are known${unread}`;
  const { mae, rmse } = measures;
  return `mean absolute error ${between(mae, short)}, root mean square error ${between(rmse, short)}${unread}`;
}

const between = ({ value, low, high }: Measured, text: (value: number) => string): string =>
  `${text(value)} (${text(low)} to ${text(high)})`;

const short = (value: number): string => String(Number(value.toPrecision(3)));

function windowText(window: LossWindow): string {
  const { value, low, high } = lossOf(window);
  const [mean, least, most] = [value, low, high].map((part) => amount(part, isLoss(window)));
  const what = isLoss(window) ? `the mean loss of v${window.version} was` : `v${window.version} was wrong in`;
  return `in the last window ${what} ${mean} (${least} to ${most}) by ${countText(window.labels, 'label')} of ${countText(window.predictions, 'prediction')}`;
}

function nextText({ outcomes, ...performance }: Performance, now: number): string {
  if (performance.status === 'counting' || performance.dueAt <= now) return 'labels are being counted';
  const due = `the labels of the open window will have come ${agoText(performance.dueAt, now)}`;
  return outcomes.predictions === 0
    ? due
    : `${due}: it has ${outcomes.labels} of the ${leastLabels} labels that it needs, and goes on`;
}

const isLoss = ({ losses }: Pick<LossWindow, 'losses'>): boolean => losses > 0;

/** Shares are percent, losses are numbers. */
const amount = (loss: number, isLoss = false): string => (isLoss ? loss.toFixed(3) : percent(loss));

/** What labels said, and what is too much: one line. */
export function lossTitle({ version, loss, limit, isLoss }: LossIncident): string {
  const much = amount(loss, isLoss);
  const what = isLoss
    ? `the mean loss of v${version} is ${much} by the labels of its predictions`
    : `v${version} is wrong in ${much} of its predictions by their labels`;
  return `${what}, above the limit of ${amount(limit, isLoss)}`;
}
