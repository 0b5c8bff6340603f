import { createHmac, timingSafeEqual } from 'node:crypto';

/** Which job of which run of Serin asks. */
export interface JobParty {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
}

/**
 * The token of a job: its key, and a proof that this server gave it. It is not stored. Whoever has one cannot make
 * the token of another job, and it opens only what this folder answers.
 */
export function jobTokens(secret: string) {
  const proofOf = (project: string, key: string): string =>
    createHmac('sha256', secret).update(`mlflow/${project}/${key}`).digest('base64url');
  return {
    tokenOf: ({ project, key }: { readonly project: string; readonly key: string }): string =>
      `${prefix}${key}.${proofOf(project, key)}`,
    /** The job that a token says it is of, not proven; `undefined` for a token of another kind. */
    read(token: string): (JobParty & { isOf(project: string): boolean }) | undefined {
      const [, key = '', run = '', step = '', attempt = '', proof = ''] = form.exec(token) ?? [];
      if (key === '') return undefined;
      const isOf = (project: string) => isSame(proof, proofOf(project, key));
      return { run, step, attempt: Number(attempt), isOf };
    },
  };
}

export type JobTokens = ReturnType<typeof jobTokens>;

const prefix = 'srnjob_';
const form = /^srnjob_((run_[0-9a-f]{32})\/([a-z]+)\/(\d{1,6}))\.([\w-]{43})$/;

const isSame = (one: string, other: string): boolean => timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** Under which scope a job logs. */
export const scopeOf = ({ step, attempt }: Pick<JobParty, 'step' | 'attempt'>): string => `${step}/${attempt}`;
