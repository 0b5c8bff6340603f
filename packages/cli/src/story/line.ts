import { hanging } from '../table.ts';
import { type Colour, harmless, type Terminal } from '../terminal.ts';

/** One thing that happened, as `serin dev` tells it. */
export interface StoryLine {
  readonly at: number;
  readonly mark: keyof typeof marks;
  /** Which model or version it is about. */
  readonly about: string;
  readonly text: string;
  /** What stands under it: commands to go on with, or the end of a log. */
  readonly more?: readonly string[];
}

/** `goes`: something goes on. `asks`: a person is wanted. */
const marks = {
  goes: ['●', 'cyan'],
  well: ['✔', 'green'],
  asks: ['!', 'yellow'],
  badly: ['✖', 'red'],
} as const satisfies Readonly<Record<string, readonly [string, Colour]>>;

type Reader = Pick<Terminal, 'width' | 'utc' | 'paint'>;

/** A line of the story, with more under it: by the clock on the wall at a terminal, exact in UTC on a pipe. */
export function storyText(line: StoryLine, terminal: Reader): string {
  const [sign, colour] = marks[line.mark];
  const { paint, width } = terminal;
  const clock = clockText(line.at, terminal);
  const about = harmless(line.about).replaceAll(/\s+/g, ' ');
  const room = { width: width ?? widest };
  const [first = '', ...rest] = hanging(clock, clock.length, `${sign} ${about} ${oneLine(line.text)}`, room);
  const body = first.slice(clock.length + 4).replace(about, () => paint('bold', about));
  const more = (line.more ?? []).flatMap((text) =>
    hanging(' '.repeat(clock.length + 2), clock.length + 2, oneLine(text), room),
  );
  return [`${paint('dim', clock)}  ${paint(colour, sign)} ${body}`, ...rest, ...more.map((text) => paint('dim', text))]
    .map((text) => `${text}\n`)
    .join('');
}

/** On a pipe nothing is broken. */
const widest = 1e6;

const oneLine = (text: string): string => harmless(text.replaceAll(/[\t\n]/g, ' '));

function clockText(at: number, { width, utc }: Reader): string {
  const time = new Date(at);
  if (width === undefined) return time.toISOString();
  if (utc === true) return time.toISOString().slice(11, 19);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
