import { day, minute } from '@serin/core/base/time';

/**
 * For how long every installation keeps copies of requests, in days: the stores that hold them forget by place and age,
 * not by model.
 */
export const capturedDays = 14;

/** For how long a label is kept: it is read when its request is, at the latest when that is forgotten. */
export const labelDays = capturedDays + 1;

/** Where labels lie in the own bucket; what was read of files of labels lies beside it, by model. */
export const labelsPrefix = 'labels/_requests/';

/**
 * When a window is read after its end, and until when. No vendor says how late a copy is written; their users tell of
 * minutes. What comes later is never read.
 */
export const captureTimes = { lagMs: 30 * minute, keptMs: capturedDays * day };
