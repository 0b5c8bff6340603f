import { applyPatch } from '../../base/json.ts';
import type { StepName } from '../../config/parts.ts';
import type { Entry } from '../../ports/journal.ts';
import type { JobTrack } from './state.ts';

/** One attempt at a step of a run. */
export interface StepTaken {
  readonly step: StepName;
  readonly attempt: number;
  /** When it was asked for, when it was first seen to run, and when the run went on from it. Absent: not yet. */
  readonly from: number;
  readonly ran?: number;
  readonly to?: number;
}

interface SeenRun {
  readonly id?: string;
  readonly endedAt?: number;
  readonly job?: Pick<JobTrack, 'part' | 'attempt' | 'running'>;
}

export interface CourseReader {
  /** The entries of the model that follow, oldest first, from the one in which the run began. */
  take(entries: readonly Entry[]): void;
  readonly steps: readonly StepTaken[];
  /** The run has ended, or another one has followed. */
  readonly isOver: boolean;
}

/** Reads from the journal when each step of a run began and ended. The run itself knows only its present step. */
export function courseReader(id: string): CourseReader {
  const steps: StepTaken[] = [];
  let seen: SeenRun = {};
  let isOver = false;

  function close(at: number): void {
    const last = steps.at(-1);
    if (last !== undefined && last.to === undefined) steps[steps.length - 1] = { ...last, to: at };
  }

  function takeOne({ at, patch }: Entry): void {
    const { run } = patch as { readonly run?: unknown };
    if (run === undefined || isOver) return;
    // An ended run has no job, so the patch of the next run holds its whole job.
    seen = (applyPatch({ run: seen }, { run: run as never }) as { readonly run?: SeenRun }).run ?? {};
    if (seen.id !== id) return;
    const { job, endedAt } = seen;
    const last = steps.at(-1);
    const isSame =
      job !== undefined && last?.step === job.part && last.attempt === job.attempt && last.to === undefined;
    if (!isSame) close(at);
    if (job !== undefined && !isSame) steps.push({ step: job.part, attempt: job.attempt, from: at });
    const open = steps.at(-1);
    if (job?.running === true && open !== undefined && open.ran === undefined)
      steps[steps.length - 1] = { ...open, ran: at };
    isOver = endedAt !== undefined;
  }

  return {
    take: (entries) => entries.forEach(takeOne),
    get steps() {
      return steps;
    },
    get isOver() {
      return isOver;
    },
  };
}
