/** One line of a file in the form of .gitignore. */
interface Rule {
  readonly matches: RegExp;
  readonly foldersOnly: boolean;
  readonly takesBack: boolean;
}

/** The rules of one file; they are about paths below its folder. */
export interface IgnoreRules {
  readonly folder: string;
  readonly rules: readonly Rule[];
}

/**
 * Rules as git reads them: https://git-scm.com/docs/gitignore. A path has `/` between its parts.
 */
export function ignoreRules(folder: string, text: string): IgnoreRules {
  return { folder, rules: text.split(/\r?\n/).flatMap((line) => ruleOf(line) ?? []) };
}

/** What the last rule that matches says of a path; `undefined`: none does. */
export function isIgnoredBy(all: readonly IgnoreRules[], path: string, isFolder: boolean): boolean | undefined {
  let ignored: boolean | undefined;
  for (const { folder, rules } of all) {
    if (!path.startsWith(`${folder}/`)) continue;
    const inside = path.slice(folder.length + 1);
    for (const { matches, foldersOnly, takesBack } of rules)
      if ((isFolder || !foldersOnly) && matches.test(inside)) ignored = !takesBack;
  }
  return ignored;
}

function ruleOf(line: string): Rule | undefined {
  const text = line.replace(/(?<!\\) +$/, '');
  if (text === '' || text.startsWith('#')) return undefined;
  const takesBack = text.startsWith('!');
  const pattern = takesBack ? text.slice(1) : text;
  const foldersOnly = pattern.endsWith('/');
  const path = foldersOnly ? pattern.slice(0, -1) : pattern;
  // Without a slash in it a name counts at any depth.
  const begin = path.includes('/') ? '' : '(?:.*/)?';
  const source = `^${begin}${sourceOf(path.replace(/^\//, ''))}$`;
  return path === '' ? undefined : { matches: compiled(source), foldersOnly, takesBack };
}

/** A class that is not valid, such as `[z-a]`, matches nothing, as in git. */
function compiled(source: string): RegExp {
  try {
    return new RegExp(source, 's');
  } catch {
    return /(?!)/;
  }
}

const parts: readonly (readonly [RegExp, (found: string) => string])[] = [
  [/^\*\*\//, () => '(?:.*/)?'],
  [/^\/\*\*$/, () => '/.*'],
  [/^\/\*\*(?=\/)/, () => '(?:/.*)?'],
  [/^\*+/, () => '[^/]*'],
  [/^\?/, () => '[^/]'],
  [/^\[[!^]?\]?(?:[^\]\\]|\\.)*\]/, (found) => found.replace(/^\[!/, '[^').replace(/^(\[\^?)\]/, '$1\\]')],
  [/^\\?[\s\S]/, (found) => found.replace(/^\\(?=.)/, '').replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')],
];

function sourceOf(pattern: string): string {
  let source = '';
  for (let rest = pattern; rest !== ''; ) {
    for (const [shape, toSource] of parts) {
      const found = shape.exec(rest)?.[0];
      if (found === undefined) continue;
      source += toSource(found);
      rest = rest.slice(found.length);
      break;
    }
  }
  return source;
}
