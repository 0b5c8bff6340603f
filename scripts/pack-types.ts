/** A JSON Schema as far as zod writes them for the config. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
}

/**
 * `index.d.ts` of the published package, written from the config's own schema: what the schema takes compiles, and a
 * field that it does not know is an error in the editor as well.
 */
export function declarations(schema: unknown): string {
  return `/** What \`serin.config.ts\` exports. Durations are text such as '30s', '10m', '4h', '7d'; sizes such as '512MB'. */
export interface Config ${typeOf(schema as Schema, '')}

/** Types for the author of a config; checks nothing at run time (\`serin validate\` does). */
export declare function defineConfig(config: Config): Config;
`;
}

function typeOf(schema: Schema, indent: string): string {
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return choices.map((choice) => typeOf(choice, indent)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  switch (schema.type) {
    case 'object':
      return objectType(schema, indent);
    case 'array':
      return `readonly (${schema.items === undefined ? 'unknown' : typeOf(schema.items, indent)})[]`;
    case 'integer':
    case 'number':
      return 'number';
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    default:
      return 'unknown';
  }
}

function objectType({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  if (properties === undefined) {
    const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties, `${indent}  `) : 'unknown';
    return `{ readonly [name: string]: ${value} }`;
  }
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, field]) => {
    const comment = field.description === undefined ? '' : `${inner}/** ${field.description} */\n`;
    return `${comment}${inner}readonly ${name}${required.includes(name) ? '' : '?'}: ${typeOf(field, inner)};\n`;
  });
  return `{\n${fields.join('')}${indent}}`;
}
