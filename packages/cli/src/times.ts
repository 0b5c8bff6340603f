import { agoText, instant } from '@serin/core/base/time';
import type { Terminal } from './terminal.ts';

/** Who reads it: a person at a terminal, unless they asked for exact times; a program wants them always. */
type Reader = Pick<Terminal, 'width' | 'utc'>;

const isForPeople = ({ width, utc }: Reader): boolean => width !== undefined && utc !== true;

const exact = (at: number): string => instant(at).replace('.000Z', 'Z');

/** A time in a list: how long ago it was. */
export const agoIn = (at: number, reader: Reader, now = Date.now()): string =>
  isForPeople(reader) ? agoText(at, now) : exact(at);

/** A time by the clock on the wall of whoever reads it, with the name of its zone. */
export const timeIn = (at: number, reader: Reader): string => (isForPeople(reader) ? localTime(at) : exact(at));

function localTime(at: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
    ...({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' } as const),
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`;
}
