import { asFault, Fault, type FaultCode } from '@serin/core/base/fault';

/**
 * The words of MLflow for what went wrong, each with its status. The client sends a request again for four minutes after
 * 408, 429 and all of 500, so what is final is one of 400, also a defect.
 *
 * https://github.com/mlflow/mlflow/blob/master/mlflow/exceptions.py
 */
const statuses = {
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_ALREADY_EXISTS: 400,
  INVALID_PARAMETER_VALUE: 400,
  INVALID_STATE: 400,
  INTERNAL_ERROR: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  REQUEST_LIMIT_EXCEEDED: 429,
  TEMPORARILY_UNAVAILABLE: 503,
} as const;
export type ErrorCode = keyof typeof statuses;

const faults: Readonly<Record<ErrorCode, FaultCode>> = {
  RESOURCE_DOES_NOT_EXIST: 'notFound',
  ENDPOINT_NOT_FOUND: 'notFound',
  RESOURCE_ALREADY_EXISTS: 'invalid',
  INVALID_PARAMETER_VALUE: 'invalid',
  INVALID_STATE: 'invalid',
  INTERNAL_ERROR: 'defect',
  UNAUTHENTICATED: 'invalid',
  PERMISSION_DENIED: 'invalid',
  REQUEST_LIMIT_EXCEEDED: 'throttled',
  TEMPORARILY_UNAVAILABLE: 'unavailable',
};

const codes: Readonly<Record<FaultCode, ErrorCode>> = {
  notFound: 'RESOURCE_DOES_NOT_EXIST',
  invalid: 'INVALID_PARAMETER_VALUE',
  conflict: 'TEMPORARILY_UNAVAILABLE',
  throttled: 'REQUEST_LIMIT_EXCEEDED',
  unavailable: 'TEMPORARILY_UNAVAILABLE',
  defect: 'INTERNAL_ERROR',
};

/** A fault that says by itself how MLflow calls it. */
export class Refused extends Fault {
  readonly errorCode: ErrorCode;

  constructor(errorCode: ErrorCode, message: string) {
    super(faults[errorCode], message);
    this.errorCode = errorCode;
  }
}

/** What a client of MLflow is told of something that was thrown. */
export function refusal(error: unknown): Response {
  const fault = asFault(error);
  const error_code = fault instanceof Refused ? fault.errorCode : codes[fault.code];
  return Response.json({ error_code, message: fault.message }, { status: statuses[error_code] });
}

export const noSuch = (what: string, id: string): Refused =>
  new Refused('RESOURCE_DOES_NOT_EXIST', `there is no ${what} '${id.slice(0, 200)}'; list what this token may see`);

export const wrong = (message: string): Refused => new Refused('INVALID_PARAMETER_VALUE', message);

export const forbidden = (message: string): Refused => new Refused('PERMISSION_DENIED', message);
