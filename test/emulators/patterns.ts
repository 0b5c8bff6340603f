/** Java's names of character classes (ASCII), as they stand inside brackets here. */
const javaClasses: Readonly<Record<string, string>> = {
  Alnum: 'a-zA-Z0-9',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Print: '\\x20-\\x7e',
  Graph: '\\x21-\\x7e',
  ASCII: '\\x00-\\x7f',
};

const matchers = new Map<string, RegExp>();

/**
 * A pattern of AWS's models (Java's dialect) as a RegExp over the whole text; throws on what it cannot translate.
 *
 * With the `u` flag, for `\p{L}` and for characters beyond 16 bits. A pattern that `u` refuses (`[\w-/]`) and that names
 * no Unicode class means the same without it.
 */
export function matcherOf(pattern: string): RegExp {
  const known = matchers.get(pattern);
  if (known !== undefined) return known;
  const { source, flags } = translate(pattern);
  const whole = `^(?:${source})$`;
  const matcher = compiled(whole, `${flags}u`) ?? (/\\p\{/i.test(source) ? undefined : compiled(whole, flags));
  if (matcher === undefined) throw new Error(`the pattern ${pattern} is in no dialect known here`);
  matchers.set(pattern, matcher);
  return matcher;
}

function translate(pattern: string): { readonly source: string; readonly flags: string } {
  const inline = /^\(\?([is]+)\)/.exec(pattern);
  let inBrackets = false;
  const source = pattern
    .slice(inline?.[0].length ?? 0)
    // An anchor is taken any number of times by Java (SageMaker's tag values: `...$\{1,256}`), never here.
    .replace(/(?<!\\)\$\{\d+,\d*\}/g, '$')
    .replace(/\\p\{(\w+)\}|\\[\s\S]|[[\]]/g, (token, name?: string) => {
      if (token === '[' || token === ']') inBrackets = token === '[';
      const java = name === undefined ? undefined : javaClasses[name];
      if (java !== undefined) return inBrackets ? java : `[${java}]`;
      if (token === '\\A') return '^';
      if (token === '\\z' || token === '\\Z') return '$';
      // `u` refuses an escape that nothing needs: `\_`, `\ `, `\:`, and `\-` outside of brackets.
      const needless = /^\\[_ :;,@#%&=~!'"<>`]$/.test(token) || (token === '\\-' && !inBrackets);
      return needless ? token.slice(1) : token;
    });
  return { source, flags: inline?.[1] ?? '' };
}

function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}
