import { type ColumnSalt, saltOf } from '../hash.ts';
import { damaged, limits } from './limits.ts';
import { type Meaning, meaningOf } from './meaning.ts';
import type { Node } from './schema.ts';

/** A column as it is stored: the only one of a flat column, or one scalar inside of a record or a list. */
export interface Leaf {
  /** Of the column of the dataset that it belongs to. */
  readonly name: string;
  readonly salt: ColumnSalt;
  /** From the column down to the scalar: the salts of the keys of records, and `null` for the place in a list. */
  readonly steps: readonly (ColumnSalt | null)[];
  /** A value is there where its level is this; each optional or repeated level above it counts one. */
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  readonly meaning: Meaning;
  readonly isNested: boolean;
  /** The first leaf of a column tells for each row whether there is something. */
  readonly isFirst: boolean;
  readonly isColumnOptional: boolean;
}

interface Above {
  readonly steps: Leaf['steps'];
  readonly definition: number;
  readonly repetition: number;
}

const start: Above = { steps: [], definition: 0, repetition: 0 };

/** The leaves in the order in which row groups list them. */
export function leavesOf(schema: Node): readonly Leaf[] {
  if (schema.children.length === 0) throw damaged('it has no columns');
  const names = schema.children.map(({ name }) => name);
  const twice = names.toSorted().find((name, index, sorted) => name === sorted[index - 1]);
  if (twice !== undefined) throw damaged(`it has two columns named ${twice}`);
  const leaves = schema.children.flatMap((column) => {
    const found = leavesBelow(column, start, { isKey: false, isOfList: false });
    return found.map(({ node, above }, index) => leafOf(column, node, above, index === 0));
  });
  if (leaves.length > limits.columns)
    throw damaged(`it has ${leaves.length} columns, and at most ${limits.columns} are read`);
  return leaves;
}

function leafOf(column: Node, node: Node, above: Above, isFirst: boolean): Leaf {
  return {
    name: column.name,
    salt: saltOf(column.name),
    steps: above.steps,
    maxDefinition: above.definition,
    maxRepetition: above.repetition,
    meaning: meaningOf(node),
    isNested: node !== column || node.isRepeated,
    isFirst,
    isColumnOptional: column.isOptional,
  };
}

interface Below {
  readonly node: Node;
  readonly above: Above;
}

/** What the name of a node is: a key of its parent, or the name that a list or a map gives to its elements. */
interface Role {
  readonly isKey: boolean;
  readonly isOfList: boolean;
}

function leavesBelow(node: Node, above: Above, { isKey, isOfList }: Role): readonly Below[] {
  const levels = node.isOptional || node.isRepeated ? 1 : 0;
  const next: Above = {
    steps: [...above.steps, ...(isKey ? [saltOf(node.name)] : []), ...(node.isRepeated ? [null] : [])],
    definition: above.definition + levels,
    repetition: above.repetition + (node.isRepeated ? 1 : 0),
  };
  if (node.children.length === 0) return [{ node, above: next }];
  const isList = node.logical?.type === 'list' || node.logical?.type === 'map';
  const wraps = isOfList && node.isRepeated && node.children.length === 1;
  return node.children.flatMap((child) =>
    leavesBelow(child, next, { isKey: !wraps && !(isList && child.isRepeated), isOfList: isList }),
  );
}
