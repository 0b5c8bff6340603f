import type { Json } from '../../base/json.ts';
import type { Label, LabelOutcome } from '../../ports/telemetry.ts';
import type { LabelCounts } from './protocol.ts';

/** What is wrong with a label, and where in it. */
export interface LabelProblem {
  readonly path: readonly string[];
  readonly message: string;
}

interface Field {
  readonly schema: { readonly [key: string]: Json };
  readonly holds: (value: unknown) => boolean;
  /** Completes `must be ...`. */
  readonly expected: string;
}

// Year, month and day that exist, a time, and a zone.
const instantText = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;
const daysOf = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
const isInstant = (text: string): boolean =>
  text.length <= 64 &&
  instantText.test(text) &&
  Number.isFinite(Date.parse(text)) &&
  Number(text.slice(8, 10)) <= daysOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)));
const isBoolean = (value: unknown): boolean => typeof value === 'boolean';

/** The fields of a label as people and tools write it: over HTTP, in files, and in the documentation. */
const fields: Readonly<Record<string, Field>> = {
  requestId: {
    schema: {
      type: 'string',
      pattern: '^[\\x21-\\x7e]{1,200}$',
      description: 'the x-serin-request-id of the answer; on a cloud the id under which the request is captured',
    },
    holds: (value) => typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value),
    expected: 'the id of a request, such as the x-serin-request-id of the answer: 1 to 200 visible ASCII characters',
  },
  time: {
    schema: { type: 'string', format: 'date-time', maxLength: 64, description: 'when the outcome was learned' },
    holds: (value) => typeof value === 'string' && isInstant(value),
    expected: "a time such as '2026-01-02T08:00:00Z'",
  },
  truth: {
    schema: {
      anyOf: [{ type: 'string', maxLength: 1000 }, { type: 'number' }, { type: 'boolean' }],
      description: 'the prediction is wrong when it differs, as text',
    },
    holds: (value) =>
      typeof value === 'string'
        ? value.length <= 1000
        : isBoolean(value) || (typeof value === 'number' && Number.isFinite(value)),
    expected: 'a text of 1,000 characters at most, a number, true or false',
  },
  wrong: {
    schema: { type: 'boolean', description: 'the sender compared' },
    holds: isBoolean,
    expected: 'true or false',
  },
  mirror: {
    schema: { type: 'boolean', description: "with `wrong`: whether the mirror's answer was wrong" },
    holds: isBoolean,
    expected: 'true or false',
  },
  loss: {
    schema: { type: 'number', minimum: 0, maximum: 1 },
    holds: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    expected: 'a number from 0 to 1',
  },
};

/** A label, for the documentation. */
export const labelSchema: { readonly [key: string]: Json } = {
  type: 'object',
  properties: Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema])),
  required: ['requestId', 'time'],
  additionalProperties: false,
  description: 'exactly one of truth, wrong and loss; mirror only together with wrong',
};

/** Reads a label: exactly one of `truth`, `wrong` and `loss`; every problem at once. */
export function readLabel(value: unknown): { readonly label: Label } | { readonly problems: readonly LabelProblem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problems: [{ path: [], message: 'must be a JSON object' }] };
  const given = value as Readonly<Record<string, unknown>>;
  const known = (name: string): Field | undefined => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  const has = (name: string): boolean => given[name] !== undefined;
  const problems: LabelProblem[] = [
    ...Object.keys(given)
      .filter((name) => known(name) === undefined)
      .map((name) => ({ path: [name], message: 'is not a known field: remove it' })),
    ...Object.keys(fields)
      .filter((name) => (has(name) || name === 'requestId' || name === 'time') && !known(name)?.holds(given[name]))
      .map((name) => ({ path: [name], message: `must be ${known(name)?.expected}` })),
  ];
  const outcomes = ['truth', 'wrong', 'loss'].filter(has).length;
  if (outcomes !== 1) problems.push({ path: [], message: 'must have exactly one of truth, wrong and loss' });
  if (has('mirror') && !has('wrong')) problems.push({ path: ['mirror'], message: 'must be given together with wrong' });
  if (problems.length > 0) return { problems };
  // Each field was checked above.
  const { requestId, time } = given as { readonly requestId: string; readonly time: string };
  return { label: { requestId, time: Date.parse(time), outcome: outcomeOf(given) } };
}

function outcomeOf({ truth, wrong, mirror, loss }: Readonly<Record<string, unknown>>): LabelOutcome {
  if (truth !== undefined) return { truth: truth as string | number | boolean };
  if (loss !== undefined) return { loss: Number(loss) };
  return { wrong: wrong === true, ...(mirror === undefined ? {} : { mirror: mirror === true }) };
}

export const noLabels: LabelCounts = {
  recorded: 0,
  duplicate: 0,
  conflict: 0,
  unknown: 0,
  late: 0,
  bad: 0,
  reasons: [],
};
