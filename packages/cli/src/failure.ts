import { Fault, type FaultCode } from '@serin/core/base/fault';
import { wrapAt } from './width.ts';

/** 0 ok, 1 failure, 2 usage, 3 not found, 4 conflict, 5 auth, 6 timeout of `--wait`, 7 rolled back or aborted, 130 SIGINT. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 130;

/** RFC 9457, as the API answers it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status?: number;
  readonly detail?: string;
  readonly code?: string;
  readonly requestId?: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly detail?: string;
    readonly value?: unknown;
    /** In a config of YAML or JSON. */
    readonly line?: number;
    readonly column?: number;
  }[];
}

interface More {
  readonly why?: string | undefined;
  readonly mend?: string | undefined;
  readonly problem?: Problem | undefined;
  /** What a server answered, where one did. */
  readonly response?: Response | undefined;
  /** Lines that say more: one problem each. */
  readonly details?: readonly string[] | undefined;
  readonly cause?: unknown;
}

/** Ends a command: what failed, why, and how to mend it. */
export class Failure extends Error {
  readonly exit: ExitCode;
  readonly why: string | undefined;
  readonly mend: string | undefined;
  readonly problem: Problem | undefined;
  readonly response: Response | undefined;
  readonly details: readonly string[];

  constructor(exit: ExitCode, what: string, { why, mend, problem, response, details, cause }: More = {}) {
    super(what, { cause });
    this.name = 'Failure';
    this.exit = exit;
    this.why = why;
    this.mend = mend;
    this.problem = problem;
    this.response = response;
    this.details = details ?? [];
  }
}

const exitOfFault: Readonly<Record<FaultCode, ExitCode>> = {
  conflict: 4,
  throttled: 1,
  unavailable: 1,
  notFound: 3,
  invalid: 2,
  defect: 1,
};

const codes: Readonly<Record<ExitCode, string>> = {
  0: 'ok',
  1: 'failure',
  2: 'usage',
  3: 'notFound',
  4: 'conflict',
  5: 'auth',
  6: 'timeout',
  7: 'rolledBack',
  130: 'interrupted',
};

/** Anything thrown, as a `Failure`. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Fault) return new Failure(exitOfFault[error.code], error.message, { cause: error });
  if (!(error instanceof Error)) return new Failure(1, String(error), { cause: error });
  // Nobody foresaw it: where it came from is for the report of a defect.
  return new Failure(1, error.message, {
    why: error.stack?.split('\n')[1]?.trim(),
    mend: 'report it with this text: it is a defect of Serin',
    cause: error,
  });
}

/** For a person. Details stay whole, as they may be commands that somebody copies. */
export function failureText({ message, why, mend, problem, details }: Failure, width?: number): string {
  const wrapped = (label: string, text: string) =>
    text
      .split('\n')
      .flatMap((line) => (width === undefined ? [line] : wrapAt(line, width - label.length)))
      .map((line, index) => `${index === 0 ? label : ' '.repeat(label.length)}${line}`);
  const lines = [
    ...wrapped('serin: ', message),
    ...(why === undefined ? [] : wrapped('  why:  ', why)),
    ...details.map((line) => `  ${line}`),
    ...(problem?.requestId === undefined ? [] : [`  request: ${problem.requestId}`]),
    ...(mend === undefined ? [] : wrapped('  mend: ', mend)),
  ];
  return `${lines.join('\n')}\n`;
}

/** The problem+json object of a failure: the server's own where there is one. */
export function problemOf({
  message,
  why,
  mend,
  problem,
  details,
  exit,
}: Failure): Problem & { readonly exit: ExitCode } {
  const errors = details.length === 0 ? {} : { errors: details.map((detail) => ({ detail })) };
  const base = problem ?? { type: 'about:blank', title: message, detail: why ?? message, code: codes[exit], ...errors };
  return { ...base, exit, ...(mend === undefined ? {} : { mend }) };
}
