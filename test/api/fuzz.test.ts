import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adminToken, compiled, memoryLog, openWorld, standardSecret } from './world.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}
interface Operation {
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

/** What the document says is valid: texts that exist in the world are likelier, so that handlers are reached. */
function valid(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((part) => valid(part, known)));
  if (schema.format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString());
  if (schema.type === 'object') {
    const fields = Object.entries(schema.properties ?? {}).map(([name, part]) => [name, valid(part, known)] as const);
    return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
  }
  if (schema.type === 'array') return fc.array(valid(schema.items ?? {}, known), { maxLength: 3 });
  if (schema.type === 'integer' || schema.type === 'number') return fc.integer({ min: schema.minimum ?? 0, max: 300 });
  if (schema.type === 'boolean') return fc.boolean();
  const fitting = known.filter((text) => schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(text));
  const made =
    schema.pattern === undefined
      ? fc.string({ minLength: 1, maxLength: 20 })
      : fc.stringMatching(new RegExp(schema.pattern, 'u'));
  return fitting.length === 0
    ? made
    : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fitting) }, { weight: 1, arbitrary: made });
}

const invalid = fc.oneof(
  fc.jsonValue(),
  fc.string(),
  fc.constantFrom('../..', '%00', '\u0000', 'a'.repeat(2000), '__proto__', '1e9', '-1', '{}'),
);

/** Whether JSON is what a response's schema describes, as far as the schemas of this API go. */
function fits(schema: Schema, value: unknown): boolean {
  if (schema.anyOf !== undefined) return schema.anyOf.some((part) => fits(part, value));
  if (schema.const !== undefined) return value === schema.const;
  if (schema.enum !== undefined) return schema.enum.includes(value);
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const fields = value as Readonly<Record<string, unknown>>;
      const properties = schema.properties ?? {};
      const extra = Object.entries(fields).filter(([name]) => !Object.hasOwn(properties, name));
      const more = schema.additionalProperties;
      return (
        (schema.required ?? []).every((name) => fields[name] !== undefined) &&
        Object.entries(properties).every(([name, part]) => fields[name] === undefined || fits(part, fields[name])) &&
        (more === undefined || more === true || extra.every(([, part]) => more !== false && fits(more, part)))
      );
    }
    case 'array':
      return Array.isArray(value) && value.every((item) => fits(schema.items ?? {}, item));
    case 'integer':
      return Number.isInteger(value);
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}

test('random requests, valid and not: no 5xx, and every answer is one that the document describes', async () => {
  const defects: unknown[] = [];
  const world = await openWorld({
    events: memoryLog(),
    metrics: async () => '# EOF\n',
    logged: () => [],
    logs: async () => ({ text: '', next: 0 }),
    serverLogs: async () => ({ text: '', next: 0 }),
    secrets: { github: ['s'], standard: [standardSecret] },
    onDefect: (_, error) => defects.push(error),
  });
  await world.release();
  await world.drop();
  const { run, rollout } = await world.model();
  const digest = (await world.call('GET', '/v1/models/fraud/datasets')).body.datasets[0].digest;
  const cursor = (await world.call('GET', '/v1/models?limit=1')).body.next;
  const known = [
    'fraud',
    'churn',
    run.id,
    rollout.id,
    digest,
    '1',
    'drops',
    'serin',
    'fraud/a.csv',
    'model/fraud',
    cursor,
  ];
  const document = JSON.parse(await (await world.app.request('/openapi.json')).text());
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );
  expect(operations.length).toBeGreaterThan(40);

  const requests = operations.map(({ path, method, operation }) => {
    const values = operation.parameters.map(({ name, in: place, required, schema }) => {
      const value = fc.oneof({ weight: 5, arbitrary: valid(schema, known) }, { weight: 1, arbitrary: invalid });
      return fc.tuple(fc.constant(name), fc.constant(place), required ? value : fc.option(value, { nil: undefined }));
    });
    const content = Object.entries(operation.requestBody?.content ?? {});
    const body =
      content.length === 0
        ? fc.constant(undefined)
        : fc.oneof(
            ...content.map(([type, { schema }]) =>
              fc.tuple(
                fc.constant(type),
                fc.oneof(
                  {
                    weight: 5,
                    arbitrary:
                      path === '/v1/releases' ? fc.constant({ config: compiled() }) : valid(schema ?? {}, known),
                  },
                  { weight: 1, arbitrary: invalid },
                ),
              ),
            ),
          );
    return fc.tuple(fc.tuple(...values), body).map(([given, sent]) => ({ path, method, operation, given, sent }));
  });

  await fc.assert(
    fc.asyncProperty(fc.oneof(...requests), async ({ path, method, operation, given, sent }) => {
      const text = (value: unknown) => (typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value));
      const address = new URL('http://serin.test');
      const filled = given.reduce(
        (whole, [name, place, value]) =>
          place === 'path' ? whole.replace(`{${name}}`, encodeURIComponent(text(value)) || 'x') : whole,
        path,
      );
      for (const [name, place, value] of given)
        if (place === 'query' && value !== undefined) address.searchParams.set(name, text(value));
      const headers = Object.fromEntries(
        given.flatMap(([name, place, value]) =>
          place === 'header' && value !== undefined
            ? [
                [
                  name,
                  text(value)
                    .replace(/[^\x21-\x7e]/g, '_')
                    .slice(0, 300) || '_',
                ],
              ]
            : [],
        ),
      );
      const response = await world.app.request(filled + address.search, {
        method: method.toUpperCase(),
        headers: {
          authorization: `Bearer ${adminToken}`,
          accept: 'application/json',
          ...headers,
          ...(sent === undefined ? {} : { 'content-type': sent[0] }),
        },
        ...(sent === undefined ? {} : { body: text(sent[1]) }),
      });
      const where = `${method} ${filled}`;
      const answer = response.headers.get('content-type')?.includes('json')
        ? JSON.parse(await response.text())
        : await response.text();
      expect([where, response.status, response.status < 500]).toEqual([where, response.status, true]);
      // `.` and `..` as a whole segment are taken away by every URL parser: such a request meets another route.
      if (/\/\.{1,2}(\/|$)/.test(filled)) return;
      const described = operation.responses[String(response.status)];
      expect([where, response.status, described !== undefined]).toEqual([where, response.status, true]);
      if (response.status >= 400) {
        expect(answer).toMatchObject({
          status: response.status,
          code: expect.any(String),
          requestId: response.headers.get('x-request-id'),
        });
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        return;
      }
      const schema = described?.content?.['application/json']?.schema;
      if (schema !== undefined)
        expect([where, JSON.stringify(answer), fits(schema, answer)]).toEqual([where, JSON.stringify(answer), true]);
    }),
    { numRuns: 1500, endOnFailure: true },
  );
  expect(defects).toEqual([]);
}, 60_000);
