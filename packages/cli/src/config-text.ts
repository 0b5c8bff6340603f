import type { ConfigProblem } from '@serin/core/config/problems';
import {
  Composer,
  type CST,
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  visit,
} from 'yaml';

/** Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What a config of YAML or JSON says, and where it says it. */
export interface ConfigText {
  readonly value: unknown;
  /** Of a field that is missing: the place of what should hold it. */
  readonly placeOf: (keys: readonly PropertyKey[]) => Place | undefined;
}

export type TextProblem = ConfigProblem & { readonly place: Place };

const maxBytes = 1_000_000;
const maxDepth = 64;
/** A few aliases save words; many of them can stand for more values than a memory holds. */
const maxAliasCount = 100;

/**
 * Reads YAML 1.2 by its core schema, of which JSON is a part: `on`, `no` and `017` are what they look like. Answers all that
 * the syntax does not allow instead, each with its place.
 */
export function readConfigText(
  text: string,
  isJson: boolean,
): ConfigText | { readonly problems: readonly TextProblem[] } {
  const source = text.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const told = (found: readonly Found[]) => ({
    problems: found.map(({ offset, message }) => ({ path: '', message, place: placeAt(lines, offset) })),
  });
  if (source.length > maxBytes)
    return told([{ offset: 0, message: `is longer than ${maxBytes} characters; shorten it` }]);
  const strict = isJson ? strictJson(source) : undefined;
  const tokens = [...new Parser(lines.addNewLine).parse(source)];
  if (strict !== undefined && 'message' in strict) return told([strict]);
  const tooDeep = deeperThan(tokens, maxDepth);
  if (tooDeep !== undefined)
    return told([{ offset: tooDeep, message: `has more than ${maxDepth} levels; make it flatter` }]);
  const { document, found } = composed(tokens, source);
  if (found.length > 0) return told(firstOfLines(found, lines));
  try {
    const value: unknown = strict?.value ?? document?.toJS({ maxAliasCount }) ?? null;
    JSON.stringify(value); // what an alias stands for may hold the alias
    return { value, placeOf: document === undefined ? () => undefined : placesIn(document, lines) };
  } catch {
    const message = 'stands for too much, or for itself; write out what it stands for';
    return told([{ offset: document === undefined ? 0 : lastAliasIn(document), message }]);
  }
}

interface Found {
  readonly offset: number;
  readonly message: string;
}

function composed(tokens: readonly CST.Token[], source: string) {
  const options = { version: '1.2', schema: 'core', merge: false, prettyErrors: false } as const;
  const [document, another] = new Composer(options).compose(tokens, true, source.length);
  if (document === undefined) return { found: [] };
  const found: Found[] = [...document.errors, ...document.warnings].map(({ code, message, pos: [offset] }) => ({
    ...{ offset, message: mended(code, message, source.slice(offset)) },
  }));
  if (another !== undefined)
    found.push({ offset: another.range[0], message: 'is a second document; keep one of them' });
  const message = 'has more digits than a number can keep; put it in quotes';
  return { document, found: [...found, ...inexactIn(document).map((offset) => ({ offset, message }))] };
}

/** What comes later in a line is wrong because of the first. */
function firstOfLines(found: readonly Found[], lines: LineCounter): readonly Found[] {
  const lineOf = ({ offset }: Found) => lines.linePos(offset).line;
  return found.filter((one, index) => found.findIndex((other) => lineOf(other) === lineOf(one)) === index);
}

/** What JSON does not allow and YAML would: comments, single quotes, a comma at the end. */
function strictJson(source: string): { readonly value: unknown } | Found {
  try {
    return { value: JSON.parse(source) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const why = message.replace(/ (?:in JSON )?at position \d+.*$|, (?:\.\.\.)?".*$/s, '');
    const offset = /at position (\d+)/.exec(message)?.[1];
    return { message: `${why}; correct the JSON`, offset: Number(offset ?? source.trimEnd().length) };
  }
}

/** What many write and YAML reads otherwise. */
const mends: readonly (readonly [code: ErrorCode, text: RegExp, mend: string])[] = [
  ['TAB_AS_INDENT', /^/, 'indent with blanks'],
  ['BAD_ALIAS', /^\*/, "a text that begins with * must be in quotes, as in cron: '0 3 * * 1'"],
  ['UNEXPECTED_TOKEN', /^\*/, "a text that begins with * must be in quotes, as in cron: '0 3 * * 1'"],
  ['MISSING_CHAR', /^[{}]/, 'a text with braces must be in quotes'],
  ['DUPLICATE_KEY', /^/, 'keep one of them'],
  ['BLOCK_AS_IMPLICIT_KEY', /^/, "a text with ': ' in it must be in quotes"],
  ['TAG_RESOLVE_FAILED', /^/, 'remove the tag: a config has only text, numbers, true and false'],
];

function mended(code: ErrorCode, message: string, from: string): string {
  const mend = mends.find((known) => known[0] === code && known[1].test(from))?.[2];
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}; ${mend ?? 'correct the YAML'}`;
}

/** Where tokens lie deeper than so many levels: reading them calls itself once for each. */
function deeperThan(tokens: readonly unknown[], most: number): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (typeof token !== 'object' || token === null) continue;
    const { offset, items, value, key } = token as Readonly<Record<string, unknown>>;
    if (depth > most) return typeof offset === 'number' ? offset : 0;
    const within = Array.isArray(items) ? items : [];
    // An item of a collection is not a token: its key and its value are.
    for (const inner of [...within, value, key]) open.push({ token: inner, depth: depth + (inner === key ? 1 : 0.5) });
  }
  return undefined;
}

const placeAt = (lines: LineCounter, offset: number): Place => {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
};

/** The place of a value, of its key where the value is a collection, or of the nearest thing that is there. */
function placesIn(document: Document.Parsed, lines: LineCounter): ConfigText['placeOf'] {
  const inner = (node: Node | null, key: PropertyKey): readonly [node: Node | null, shown: unknown] | undefined => {
    const held = isAlias(node) ? node.resolve(document) : node;
    if (isSeq<Node>(held)) {
      const item = held.items[Number(key)];
      return item === undefined ? undefined : [item, item];
    }
    if (!isMap<Node, Node | null>(held)) return undefined;
    const pair = held.items.find(({ key: name }) => isScalar(name) && String(name.value) === String(key));
    return pair && [pair.value, isScalar(pair.value) ? pair.value : pair.key];
  };
  return (keys) => {
    let node: Node | null = document.contents;
    let shown: unknown = node;
    for (const key of keys) {
      const found = inner(node, key);
      if (found === undefined) break;
      [node, shown] = found;
    }
    return isNode(shown) && shown.range ? placeAt(lines, shown.range[0]) : undefined;
  };
}

/** Whole numbers that would come out as others. */
function inexactIn(document: Document.Parsed): readonly number[] {
  const found: number[] = [];
  visit(document, {
    Scalar(_, { value, source, range }) {
      const isInexact = typeof value === 'number' && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(source ?? '');
      if (isInexact) found.push(range?.[0] ?? 0);
    },
  });
  return found;
}

function lastAliasIn(document: Document.Parsed): number {
  let last = 0;
  visit(document, {
    Alias(_, { range }) {
      last = range?.[0] ?? last;
    },
  });
  return last;
}
