import { configSchema } from '@serin/core/config/config';
import { configTexts } from './config-texts.ts';

/** A part of a JSON Schema, as far as it is walked here. */
export interface Schema {
  readonly [field: string]: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

/** The JSON Schema (2020-12) of what an author writes, with a sentence on each field. */
export const configJsonSchema = (): Schema =>
  withTexts(configSchema.toJSONSchema({ io: 'input', unrepresentable: 'any' }) as Schema, []);

const choices = ['anyOf', 'oneOf', 'allOf'] as const;

function withTexts(schema: Schema, path: readonly string[]): Schema {
  const text = schema.description ?? textAt(path);
  const inner: Record<string, unknown> = { ...schema, ...(text === undefined ? {} : { description: text }) };
  if (schema.properties !== undefined)
    inner.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, part]) => [name, withTexts(part, [...path, name])]),
    );
  if (typeof schema.additionalProperties === 'object')
    inner.additionalProperties = withTexts(schema.additionalProperties, [...path, '*']);
  if (schema.items !== undefined) inner.items = withTexts(schema.items, path);
  for (const choice of choices) {
    const parts = schema[choice];
    if (Array.isArray(parts)) inner[choice] = parts.map((part: Schema) => withTexts(part, path));
  }
  return inner;
}

/** The sentence on a field: by its path within a model, else by its last two names, else by its last. */
export function textAt(path: readonly string[]): string | undefined {
  const own = path[0] === 'models' && path.length > 1 ? path.slice(2) : path;
  const candidates =
    path.length === 2 && path[0] === 'models'
      ? ['*']
      : [own.join('.'), own.slice(-2).join('.'), `${own.at(-2)}.*`, `*.${own.at(-1)}`];
  return candidates.map((key) => (Object.hasOwn(configTexts, key) ? configTexts[key] : undefined)).find(Boolean);
}
