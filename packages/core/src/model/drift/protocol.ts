import type { Probabilities, ProbabilityPlace } from '../../drift/estimate.ts';
import type { ColumnKind } from '../../drift/reference.ts';
import type { ServingKind } from '../../ports/serving.ts';

/** What the machine of drift orders, and what answers. It hears nothing from outside but time. */
export interface DriftProtocol {
  readonly signal: never;
  readonly order:
    | {
        /** Counts captured requests on the cells of a reference: a part of the window, from a cursor on. */
        readonly kind: 'countCaptured';
        readonly endpoint: string;
        readonly on?: ServingKind;
        readonly from: number;
        readonly to: number;
        readonly fields: readonly string[];
        readonly reference: string;
        /** Absent: the answers are not compared. */
        readonly answers?: AnswersAsked;
        /** Absent: nothing is estimated of them. */
        readonly probabilities?: ProbabilitiesAsked;
        readonly counted?: Counted;
        readonly cursor?: string;
      }
    | {
        readonly kind: 'judgeDrift';
        readonly reference: string;
        readonly detector?: string;
        readonly counted: Counted;
        readonly from: number;
        readonly to: number;
        /** Those that are judged: a release may have a column off at once, whatever the reference has. */
        readonly fields: readonly string[];
        readonly rules: DriftRules;
        /** An incident is open. */
        readonly isOpen?: true;
        /** Absent: the answers are not compared. Without a reference their column has yet to begin. */
        readonly answers?: { readonly reference?: string; readonly freeze?: AnswersToFreeze };
      };
  readonly answer:
    | { readonly type: 'capturedCounted'; readonly counted: Counted; readonly cursor?: string }
    | { readonly type: 'driftJudged'; readonly detector: string; readonly judged: Judged; readonly answers?: string };
}

/** Counts of a window, so far. */
export interface Counted {
  /** Digest of the counts: an object of the project's own bucket. */
  readonly counts: string;
  readonly rows: number;
  /** Captured requests that could not be read. */
  readonly unread?: { readonly requests: number; readonly first: string };
  /** Absent: none was captured. */
  readonly answers?: AnswersSeen;
  /** Absent: nobody asks for them. */
  readonly probabilities?: Probabilities;
}

/** Of which answers the probabilities are added up. */
export interface ProbabilitiesAsked extends ProbabilityPlace {
  /** The deployment that gave them; those of others are passed over. */
  readonly of: string;
}

/** What is done with the answers of a window. */
export interface AnswersAsked {
  /** The deployment that gave them; those of others are passed over. */
  readonly of: string;
  /** Digest of what they are counted on; absent: they are put into a sample, which begins with this one. */
  readonly reference?: string;
  readonly sample?: string;
}

/** Answers of a window, so far. */
export interface AnswersSeen {
  /** Digest of their counts, or of the sample that they were put into. */
  readonly kept: string;
  readonly rows: number;
}

/** A sample of answers that is large enough to be a reference. */
export interface AnswersToFreeze {
  readonly sample: string;
  /** As the config has it. */
  readonly kind?: ColumnKind;
  /** It holds less than a week. */
  readonly isShort?: true;
}

export interface DriftRules {
  readonly notice: number;
  readonly major: number;
  readonly quietFor: number;
}

/** What a window came to. */
export interface Judged {
  /** The largest evidence of the model, and from where on it is an alarm. */
  readonly evidence: number;
  readonly threshold: number;
  /** The columns that changed most, at most 20. */
  readonly columns: readonly ColumnSeen[];
  /** Names of the columns that passed both gates in this window, what changed most first; at most 20. */
  readonly alarms: readonly string[];
  readonly level?: 'notice' | 'major';
  /** A column that drifted has no row in this window. */
  readonly isSilent?: true;
  /** Fields that are captured and that the training data does not have, at most 20 names. */
  readonly absent?: readonly string[];
  /** Why false alarms may be more frequent than promised. */
  readonly uncalibrated?: string;
}

export interface ColumnSeen {
  readonly name: string;
  /** The difference of the two distributions, 0 to 1; absent for a column of which only missing values are compared. */
  readonly size?: number;
  readonly evidence: number;
  /** Shares of rows without a value, before and now. */
  readonly missing: readonly [before: number, now: number];
}
