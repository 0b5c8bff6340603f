/** What a field of the settings may be, and how that is said: `<field> must be <must>`. */
export interface Field {
  readonly must: string;
  readonly takes: (value: unknown) => boolean;
  readonly required?: true;
}

export type Fields = Readonly<Record<string, Field>>;

export const listOf =
  (takes: Field['takes'], fewest: number): Field['takes'] =>
  (value) =>
    Array.isArray(value) && value.length >= fewest && new Set(value).size === value.length && value.every(takes);

export const oneOf =
  (...values: readonly unknown[]): Field['takes'] =>
  (value) =>
    values.includes(value);

export const wholeBetween =
  (least: number, most: number): Field['takes'] =>
  (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything that is wrong with these fields, each with what is allowed. `retired`: older fields, and what became of them. */
export function fieldProblems(
  given: Readonly<Record<string, unknown>>,
  known: Fields,
  { path = '', retired = {} }: { readonly path?: string; readonly retired?: Readonly<Record<string, string>> } = {},
): readonly string[] {
  const names = Object.keys(known).join(', ');
  const fateOf = (name: string) => (Object.hasOwn(retired, name) ? retired[name] : `is no field: there are ${names}`);
  return [
    ...Object.keys(given)
      .filter((name) => !Object.hasOwn(known, name))
      .map((name) => `${path}${name} ${fateOf(name)}`),
    ...Object.entries(known).flatMap(([name, { must, takes, required }]) => {
      // A field that is there without a value is one that somebody meant to set.
      const missing = !Object.hasOwn(given, name);
      if (missing ? !required : takes(given[name])) return [];
      return [`${path}${name} ${missing ? 'is missing: it ' : valueText(name, given[name])}must be ${must}`];
    }),
  ];
}

/** Somebody may have written a token where its hash should be: that value is not shown. */
const valueText = (name: string, value: unknown): string =>
  name === 'adminTokenHash' ? '' : `is ${JSON.stringify(value) ?? String(value)}: it `;

/** What stops a deployment, with all that is to be mended. */
export const refusal = (what: string, problems: readonly string[]): Error =>
  new Error([`${what}:`, ...problems].join('\n  '));

/** What a file of settings is checked by. */
export interface Checks {
  readonly fields: Fields;
  /** Of the fields that are objects, what is in them. */
  readonly objects: Readonly<Record<string, Fields>>;
  /** Older fields, and what became of them. */
  readonly retired?: Readonly<Record<string, string>>;
  /** What the cloud would refuse of the names that everything is made of. */
  readonly nameProblems: (names: { readonly project: string; readonly environment: string }) => readonly {
    readonly path: string;
    readonly value: string;
    readonly message: string;
  }[];
}

/** Everything that is wrong with the settings of an installation, each with what is allowed. None: it can be deployed. */
export function problemsBy(
  { fields, objects, retired = {}, nameProblems }: Checks,
  settings: object,
): readonly string[] {
  const given: Readonly<Record<string, unknown>> = { ...settings };
  const { project, environment } = given;
  return [
    ...fieldProblems(given, fields, { retired }),
    ...Object.entries(objects).flatMap(([name, its]) => {
      const object = given[name];
      return isObject(object) ? fieldProblems(object, its, { path: `${name}.` }) : [];
    }),
    ...(typeof project === 'string' && typeof environment === 'string'
      ? nameProblems({ project, environment }).map(({ path, value, message }) => `the ${path} '${value}' ${message}`)
      : []),
  ];
}
