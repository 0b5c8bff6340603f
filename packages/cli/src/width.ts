/** How wide text is on a terminal, in columns, and how it is broken into lines. */

/** East Asian Wide and Fullwidth blocks of https://www.unicode.org/reports/tr11/, as far as a terminal shows them so. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
];

let segmenter: Intl.Segmenter | undefined;
/** Also with marks of our own: what has only them needs no tables of Unicode, which take 17 MB. */
const isPlain = (text: string): boolean => /^[ -~○●✔✖█░…]*$/.test(text);
function graphemes(text: string): readonly string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** What a person takes for one character: 2 columns for wide ones and emoji, 0 for what only marks another. */
function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mark}\p{Format}\p{Control}]/u.test(grapheme)) return 0;
  if (/^(?:\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|\p{Extended_Pictographic}\ufe0f)/u.test(grapheme)) return 2;
  const point = grapheme.codePointAt(0) ?? 0;
  return wide.some(([first, last]) => point >= first && point <= last) ? 2 : 1;
}

/** The columns that a text without colours takes. */
export const widthOf = (text: string): number =>
  isPlain(text) ? text.length : graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);

/** Filled up with blanks: behind it, or before it where numbers stand under each other. */
export function padTo(text: string, width: number, side: 'left' | 'right' = 'right'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
  return side === 'right' ? text + blanks : blanks + text;
}

/** In lines of at most `width` columns, broken at blanks, but not before a `%`; a word that is wider than a line is broken where it must be. */
export function wrapAt(text: string, width: number): readonly string[] {
  const room = Math.max(2, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +(?!%)/).flatMap((each) => pieces(each, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function pieces(word: string, room: number): readonly string[] {
  if (widthOf(word) <= room) return [word];
  const parts = [''];
  for (const grapheme of graphemes(word)) {
    const longer = `${parts.at(-1)}${grapheme}`;
    if (widthOf(longer) <= room) parts[parts.length - 1] = longer;
    else parts.push(grapheme);
  }
  return parts;
}

/** Prose of a terminal: whole on a pipe. Further lines stand under the first, as far as that is indented. */
export function paragraph(text: string, { width }: { readonly width: number | undefined }): readonly string[] {
  const indent = /^ */.exec(text)?.[0] ?? '';
  if (width === undefined) return [text];
  return wrapAt(text.trimStart(), width - indent.length).map((line) => indent + line);
}
