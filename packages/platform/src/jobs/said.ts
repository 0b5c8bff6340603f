import type { Job } from '@serin/core/ports/jobs';

/** What a job says of itself to `describe`: it stands in its request, so nothing else has to be kept. */
export interface Said {
  readonly outputs: readonly string[];
  readonly maxWaitMs?: number;
}

/** The variable of the request. No program is given it. */
export const saidName = 'SERIN_JOB';

export function saidText({ outputs, maxWaitMs }: Job): string {
  const said: Said = { outputs, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) };
  return JSON.stringify(said);
}

/** What a job that was asked for so says of itself. */
export const saidIn = (text: string | undefined): Said =>
  text === undefined ? { outputs: [] } : (JSON.parse(text) as Said); // `saidText` has written it
