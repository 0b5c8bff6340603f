import { type Happening, shortType } from './sink.ts';

/** A line for people: what it is about, and what happened to it, with the reason where there is one. */
export function sentenceOf({ type, subject, data }: Happening): { readonly subject: string; readonly said: string } {
  const { model, version, because, title, weight, by } = Object(data) as Readonly<Record<string, unknown>>;
  const about = typeof model === 'string' ? model : subject;
  const named = version === undefined ? about : `${about} v${String(version)}`;
  const [noun = '', past = ''] = shortType(type).split('.');
  const parts = [
    noun === 'version' ? past : `${noun} ${words[past] ?? past}`,
    ...(weight === undefined ? [] : [`to ${String(weight)} %`]),
    ...(typeof by === 'string' ? [`by ${by}`] : []),
  ];
  const reason = [title, because].find((text) => typeof text === 'string' && text !== '');
  return { subject: named, said: cut(`${parts.join(' ')}${reason === undefined ? '' : `: ${String(reason)}`}`) };
}

const words: Readonly<Record<string, string>> = { rolledback: 'rolled back' };
const longest = 2000;
const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
