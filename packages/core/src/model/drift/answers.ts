import { defined, own, without } from '../../base/objects.ts';
import { day } from '../../base/time.ts';
import type { ModelPlan } from '../../config/config.ts';
import { answersName, enoughAnswers } from '../../drift/answers.ts';
import type { Order } from '../protocol.ts';
import { deploymentName } from '../version.ts';
import type { AnswersAsked, AnswersSeen } from './protocol.ts';

/** What the answers of a version are compared with: its own first ones. */
export interface Answers {
  /** The first and the last window of which they are. */
  readonly since: number;
  readonly until: number;
  readonly rows: number;
  /** Digest of a sample of them, until there are enough; then that of the reference. */
  readonly sample?: string;
  readonly reference?: string;
  /** Digest of the counts of the last window. */
  readonly counts?: string;
}

/** Less than a week: days of the week that differ would look like a change, so drift of them alone starts nothing. */
export const isShort = ({ since, until }: Pick<Answers, 'since' | 'until'>): boolean => until - since < 7 * day;

/** A window, and what is known of the answers before it. */
interface Window {
  readonly version: number;
  readonly answers?: Answers;
  readonly from: number;
  readonly until: number;
}

/** By a name that no feature has. */
export const answersOff = ({ monitor }: ModelPlan): boolean => own(monitor.drift?.columns, answersName) === 'off';

/** Which answers are counted, and on what. */
export function answersAsked({ version, answers }: Window, plan: ModelPlan): AnswersAsked | undefined {
  if (answersOff(plan)) return undefined;
  const { reference, sample } = answers ?? {};
  return { of: deploymentName(version), ...defined({ reference, sample }) };
}

/** The column of the answers as a window is judged: it begins in the window after the one that made its reference whole. */
export function answersJudged(
  window: Window,
  seen: AnswersSeen | undefined,
  plan: ModelPlan,
): Extract<Order, { kind: 'judgeDrift' }>['answers'] {
  if (answersOff(plan)) return undefined;
  const reference = window.answers?.reference;
  if (reference !== undefined) return { reference };
  const { since = 0, until = 0, rows = 0, sample } = withSeen(window, seen) ?? {};
  const isEnough = rows >= enoughAnswers && until - since >= (plan.monitor.drift?.window ?? 0);
  if (sample === undefined || !isEnough) return {};
  const kind = own(plan.monitor.drift?.columns, answersName);
  return {
    freeze: {
      sample,
      ...(kind === undefined || kind === 'off' ? {} : { kind }),
      ...(isShort({ since, until }) ? { isShort: true } : {}),
    },
  };
}

/**
 * After a window that was judged. Answers to requests that drifted are not what later ones are compared with: while an
 * incident is open (`isOpen`, after the window), none becomes part of the reference. `made`: the digest of one.
 */
export function answersAfter(
  window: Window,
  seen: AnswersSeen | undefined,
  { isOpen, made, plan }: { readonly isOpen: boolean; readonly made: string | undefined; readonly plan: ModelPlan },
): Answers | undefined {
  const { answers } = window;
  if (answersOff(plan)) return undefined;
  if (answers?.reference !== undefined) return { ...without(answers, 'counts'), ...defined({ counts: seen?.kept }) };
  if (isOpen) return answers;
  const more = withSeen(window, seen);
  return more === undefined || made === undefined ? more : { ...without(more, 'sample'), reference: made };
}

const withSeen = ({ answers, from, until }: Window, seen: AnswersSeen | undefined): Answers | undefined =>
  seen === undefined
    ? answers
    : { since: answers?.since ?? from, until, rows: seen.rows + (answers?.rows ?? 0), sample: seen.kept };
