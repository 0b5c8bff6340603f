import { configJsonSchema, type Schema } from '../../packages/cli/src/config-json-schema.ts';
import { day, hour, minute, second } from '../../packages/core/src/base/time.ts';
import { parseConfig } from '../../packages/core/src/config/config.ts';

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
  /** Its parent has other forms, without it. */
  readonly isOfOneForm?: boolean;
}

/** Sections of the page, by the fields below them; what no section before it takes is in the last that fits. */
const sections: readonly (readonly [title: string, of: RegExp])[] = [
  ['The project', /^(?!models\.|notify\b)/],
  [
    'Programs: what `prepare`, `train`, `evaluate` and `serve` have in common',
    /^models\.\*\.train\.(code|command|image|environment|compute)\b/,
  ],
  ['Data', /^models\.\*\.(data|labels)\b/],
  ['What starts a run', /^models\.\*\.on\b/],
  ['Training and evaluation', /^models\.\*\.(split|train|evaluate)\b/],
  ['Gate and approval', /^models\.\*\.(gate|approval)\b/],
  ['Serving', /^models\.\*\.serve\b/],
  ['Guardrails', /^models\.\*\.rollout\.guardrails\b/],
  ['Rollout', /^models\.\*\.rollout\b/],
  ['Drift and alerts', /^models\.\*\.(monitor|alerts)\b/],
  ['Receivers of events', /^notify\b/],
];

/** Fields of programs stand once, and so do those that all guardrails have. */
const isRepeated = (path: string): boolean =>
  /\.(prepare|evaluate|serve)\.(code|command|image|environment|compute\.(accelerator|nodes|spot|maxRuntime|maxWait))\b/.test(
    path,
  ) ||
  /\.guardrails\.(latency|labels)\.(toleratedRatio|margin|floor|maxBurst|alphaShare|dryRun)$/.test(path) ||
  (/\.secret$/.test(path) && path.startsWith('notify') && !path.endsWith('webhook.secret'));

/** Every field of a config: what it may be, its default, and what it is for. */
export function fieldBlock(): string {
  const fields = fieldsOf(configJsonSchema(), '', true).filter(({ path }) => path !== '' && !isRepeated(path));
  const taken = new Set<Field>();
  return sections
    .map(([title, of]) => {
      const own = fields.filter((field) => !taken.has(field) && of.test(field.path));
      for (const field of own) taken.add(field);
      return [
        `## ${title}`,
        '',
        '| field | value | default | meaning |',
        '| --- | --- | --- | --- |',
        ...own.map(rowOf),
      ].join('\n');
    })
    .join('\n\n');
}

const choices = ['anyOf', 'oneOf'] as const;

function fieldsOf(schema: Schema, path: string, isRequired: boolean): readonly Field[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    fieldsOf(part, path === '' ? name : `${path}.${name}`, required.includes(name)),
  );
  const free =
    typeof schema.additionalProperties === 'object' ? fieldsOf(schema.additionalProperties, `${path}.*`, false) : [];
  const items = schema.items?.properties === undefined ? [] : fieldsOf(schema.items, path, false).slice(1);
  const chosen = choices.flatMap((choice) => {
    const parts = schema[choice];
    // What one form requires, the others do not have.
    const forms: readonly Schema[] = Array.isArray(parts) ? parts : [];
    return forms.flatMap((part) =>
      fieldsOf(part, path, false)
        .slice(1)
        .map((field) => ({ ...field, isOfOneForm: true })),
    );
  });
  const all = [{ path, schema, isRequired }, ...inner, ...free, ...items, ...chosen];
  return [...Map.groupBy(all, (field) => field.path).values()].map(together);
}

/** One field of a path that several forms of its parent have. */
function together(fields: readonly Field[]): Field {
  const [first] = fields;
  if (first === undefined) throw new Error('a path without a field; this is a defect of the script');
  const constants = fields.map(({ schema }) => schema.const).filter((value) => value !== undefined);
  return constants.length < 2 ? first : { ...first, schema: { ...first.schema, const: undefined, enum: constants } };
}

const requiredText = ({ isRequired, isOfOneForm }: Field): string | undefined =>
  isRequired ? (isOfOneForm ? 'required in this form' : '**required**') : undefined;

function rowOf(field: Field): string {
  const { path, schema } = field;
  const name = path
    .replace(/^models\.\*\./, '')
    .replace(/^models\.\*$/, 'models.<name>')
    .replaceAll('*', '<name>');
  const cells = [
    `\`${name}\``,
    valueText(schema),
    requiredText(field) ?? defaultText(path, schema),
    schema.description ?? '',
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** What a field may be, in words. */
function valueText(schema: Schema): string {
  const { type, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  const parts = choices.flatMap((choice) => (Array.isArray(schema[choice]) ? (schema[choice] as Schema[]) : []));
  if (parts.length > 0) return [...new Set(parts.map(valueText))].filter((text) => text !== '').join(' or ');
  if (type === 'array') return `list of ${valueText(schema.items ?? {}) || 'values'}`;
  if (type === 'object') return 'fields';
  if (Array.isArray(type)) return type.map(wordOf).join(' or ');
  const least =
    minimum === undefined ? (exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`) : `from ${minimum}`;
  const bound = Number(maximum ?? Number.NaN);
  const most = bound < 1e15 ? `to ${bound}` : exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`;
  const range = [least, most].filter((text) => text !== '').join(' ');
  const isName = pattern === '^[a-z][a-z0-9-]{0,62}$';
  return [isName ? 'name' : wordOf(type), range].filter((text) => text !== '').join(' ');
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: '`true` `false`',
};
const wordOf = (type: unknown): string => words[String(type)] ?? '';

const minimal = {
  project: 'shop',
  models: {
    fraud: {
      data: { bucket: 'drops' },
      on: { schedule: { cron: '0 3 * * 1' } },
      split: { holdout: { by: 'rows', share: '20%' } },
      train: { command: ['python3', 'train.py'], compute: { accelerator: { type: 'T4' } } },
      evaluate: { command: ['python3', 'evaluate.py'] },
      gate: { auc: { direction: 'up', atLeast: 0.8 } },
      approval: {},
      serve: { command: ['python3', 'serve.py'] },
      rollout: { guardrails: { labels: { maturity: '1d' } }, expected: { rpm: 600 } },
    },
  },
};
const read = parseConfig(minimal);
if ('problems' in read)
  throw new Error(`the smallest config has problems: correct it: ${JSON.stringify(read.problems)}`);

/** What a config that leaves the field out gets. A number of milliseconds where the author writes a duration is one. */
function defaultText(path: string, schema: Schema): string {
  const value = path
    .replace(/^models\.\*/, 'models.fraud')
    .split('.')
    .reduce<unknown>(
      (inner, name) => (typeof inner === 'object' && inner !== null ? Object(inner)[name] : undefined),
      'parsed' in read ? read.parsed : {},
    );
  if (value === undefined) return '-';
  if (typeof value === 'object' && !Array.isArray(value)) return schema.default === undefined ? '-' : 'as below';
  if (schema.type === 'string' && typeof value === 'number') {
    if (/bytes/i.test(path)) return `\`${value}B\``;
    const whole = (
      [
        ['d', day],
        ['h', hour],
        ['m', minute],
        ['s', second],
      ] as const
    ).find(([, unit]) => value % unit === 0);
    return whole === undefined ? `\`${value}ms\`` : `\`${value / whole[1]}${whole[0]}\``;
  }
  return `\`${typeof value === 'string' ? value || "''" : JSON.stringify(value)}\``;
}
