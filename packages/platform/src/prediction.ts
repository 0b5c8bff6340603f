import { member, pointedAt } from '@serin/core/base/pointer';

const maxTextLength = 256;
const maxDepth = 8;

export type Prediction = string | number | boolean;

/**
 * The one value that an answer of a model says, by which answers can be compared with each other and with the truth.
 *
 * With a JSON pointer (RFC 6901) what it points to. Else `prediction`, the first of `predictions`, the first value of
 * KServe's `outputs[0].data`, or the body itself. A list or an object with exactly one value in it counts as that value.
 * Nothing is found in what is no JSON, no finite number, or a text over 256 characters.
 */
export function predictionIn(body: string, pointer?: string): Prediction | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  return onlyValue(pointer === undefined ? usualPlace(answer) : pointedAt(answer, pointer));
}

function usualPlace(answer: unknown): unknown {
  const prediction = member(answer, 'prediction');
  if (prediction !== undefined) return prediction;
  const predictions = member(answer, 'predictions');
  if (predictions !== undefined) return member(predictions, '0');
  if (member(answer, 'outputs') === undefined) return answer;
  // https://github.com/kserve/open-inference-protocol: `data` is flat or nested, in row-major order.
  let first = pointedAt(answer, '/outputs/0/data');
  while (Array.isArray(first)) first = first[0];
  return first;
}

/** The value of which an answer has no other one in it. */
export function onlyValue(value: unknown): Prediction | undefined {
  let inner = value;
  for (let depth = 0; depth < maxDepth && typeof inner === 'object' && inner !== null; depth++) {
    const inside: readonly unknown[] = Object.values(inner);
    if (inside.length !== 1) return undefined;
    inner = inside[0];
  }
  if (typeof inner === 'number') return Number.isFinite(inner) ? inner : undefined;
  if (typeof inner === 'string') return inner.length <= maxTextLength ? inner : undefined;
  return typeof inner === 'boolean' ? inner : undefined;
}
