import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseAst } from 'vitest/node';
import { root, sources } from './imports.ts';

/** One text of an error as it stands in a source; what is filled in is written as `{...}`. */
export interface ErrorText {
  /** `file:line` */
  readonly place: string;
  readonly text: string;
  /** A whole error, or a part that a sentence around it completes: it is not asked for a next step. */
  readonly is: 'whole' | 'part';
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Which argument is the text: of the classes of errors, and of functions that make one. */
const classes: Readonly<Record<string, number>> = {
  ...{ Fault: 1, Refused: 1, Problem: 1, Failure: 1, Error: 0, SyntaxError: 0 },
};
const makers: Readonly<Record<string, number>> = {
  cannot: 1,
  longestRun: 2,
  slowDeployments: 1,
  bucketNames: 1,
  wrong: 0,
  forbidden: 0,
};
/** Properties that hold the text of a refusal; `because` does so only where a config is checked. */
const properties = /^(message|error|mend)$/;
const checksConfigs = /core\/src\/config\/|clouds\/src\/|\/limits\.ts$/;
/** Functions that answer what is wrong with a config or a trigger. */
const problemFunctions = /^(hyperparameterProblem|imageProblem|triggerProblem|regexProblem|sizeProblems)$/;

const folders = (): readonly string[] => [
  ...['packages', 'functions'].flatMap((above) =>
    readdirSync(`${root}/${above}`).map((name) => `${above}/${name}/src`),
  ),
  'infra/shared',
  ...['aws/cdk', 'aws/sst', 'aws/topology', 'gcp/sst', 'gcp/topology'].map((name) => `infra/${name}`),
];

/** Every text of an error in what runs in production. */
export const errorTexts = (): readonly ErrorText[] =>
  folders()
    .flatMap(sources)
    .flatMap((file) => textsIn(readFileSync(file, 'utf8'), relative(root, file)));

export function textsIn(source: string, file: string): readonly ErrorText[] {
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  const around: Around = { source, texts: constantTexts(program) };
  const found: ErrorText[] = [];
  const add = (value: unknown, is: ErrorText['is']): void => {
    if (!isNode(value)) return;
    const place = `${file}:${source.slice(0, value.start).split('\n').length}`;
    // A code, a name or a text that was made elsewhere is not a sentence.
    for (const text of spokenBy(value, around))
      if (/[a-z]{2,} /.test(text.replace(/\{.*?\}/g, ''))) found.push({ place, text, is });
  };
  // `refuse` of core's tables takes a whole sentence; others are of their file, and complete what it says.
  const importsRefuse = /import \{[^}]*\brefuse\b[^}]*\} from '[^']*table/.test(source);
  visit(program, '', (node, within) => {
    const given = (node.arguments ?? []) as readonly unknown[];
    const name = nameOf(node.callee);
    if (node.type === 'NewExpression' && name in classes)
      add(given[classes[name] ?? 0], saysMore(given) ? 'part' : 'whole');
    if (node.type === 'CallExpression' && Object.hasOwn(makers, name)) add(given[makers[name] ?? 0], 'whole');
    if (node.type === 'CallExpression' && /^(refused?|notYet)$/.test(name))
      for (const each of given) add(each, importsRefuse ? 'whole' : 'part');
    if (node.type === 'Property' && properties.test(nameOf(node.key))) add(node.value, 'whole');
    if (node.type === 'Property' && nameOf(node.key) === 'because' && checksConfigs.test(file))
      add(node.value, 'whole');
    if (node.type === 'ReturnStatement' && problemFunctions.test(within)) add(node.argument, 'whole');
  });
  return found;
}

/** A failure of the command says the next step beside its text, or beside each of several problems. */
const saysMore = (given: readonly unknown[]): boolean =>
  given.some((each) =>
    ((Object(each).properties ?? []) as readonly unknown[]).some((property) =>
      /^(mend|details)$/.test(nameOf(Object(property).key)),
    ),
  );

interface Around {
  readonly source: string;
  /** The texts of constants, by name. */
  readonly texts: ReadonlyMap<string, readonly Node[]>;
}

/** What an expression may say: a text for each of its branches. */
function spokenBy(node: unknown, around: Around): readonly string[] {
  if (!isNode(node)) return [];
  const of = (value: unknown): readonly string[] => spokenBy(value, around);
  switch (node.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [node.value] : [];
    case 'TemplateLiteral': {
      const quasis = node.quasis as readonly { readonly value: { readonly cooked: string } }[];
      const filled = node.expressions as readonly Node[];
      return quasis.reduce<readonly string[]>(
        (texts, { value }, index) => {
          const next = filled[index];
          const places = next === undefined ? [''] : placesOf(next, around);
          return texts.flatMap((text) => places.map((place) => text + value.cooked + place));
        },
        [''],
      );
    }
    case 'ConditionalExpression':
      return [...of(node.consequent), ...of(node.alternate)];
    case 'LogicalExpression':
      return [...of(node.left), ...of(node.right)];
    case 'BinaryExpression':
      return of(node.left).flatMap((left) => of(node.right).map((right) => left + right));
    case 'Identifier':
      return around.texts.get(nameOf(node))?.flatMap(of) ?? [];
    default:
      return [];
  }
}

/** A constant text is written out; all else by its name. */
function placesOf(node: Node, around: Around): readonly string[] {
  const texts = node.type === 'Identifier' ? spokenBy(node, around) : [];
  return texts.length > 0 ? texts : [`{${around.source.slice(node.start, node.end)}}`];
}

/** By name; of a name that several functions use, each text counts. */
function constantTexts(program: Node): ReadonlyMap<string, readonly Node[]> {
  const texts = new Map<string, Node[]>();
  const given = new Set<string>();
  visit(program, '', ({ type, id, init, params }) => {
    if (type === 'VariableDeclarator' && isNode(init)) texts.set(nameOf(id), [...(texts.get(nameOf(id)) ?? []), init]);
    if (Array.isArray(params)) for (const param of params) given.add(nameOf(param));
  });
  for (const name of given) texts.delete(name); // it may stand for something else
  return texts;
}

const isNode = (value: unknown): value is Node => typeof Object(value).type === 'string';
const nameOf = (node: unknown): string => String(Object(node).name ?? Object(Object(node).property).name ?? '');

/** Each node, with the name of the function or constant that it stands in. */
function visit(node: unknown, within: string, see: (node: Node, within: string) => void): void {
  if (Array.isArray(node)) for (const each of node) visit(each, within, see);
  if (!isNode(node)) return;
  see(node, within);
  const named = node.type === 'FunctionDeclaration' || node.type === 'VariableDeclarator' ? nameOf(node.id) : within;
  for (const child of Object.values(node)) if (typeof child === 'object') visit(child, named, see);
}
