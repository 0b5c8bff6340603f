import type { Field } from '../src/action-shape.ts';
import { made } from './elements.ts';

/** What a dialog asks. */
export interface Asking {
  readonly row: HTMLElement;
  readonly control: HTMLElement;
  /** Nothing, or the one entry of the body. */
  readonly inBody: () => readonly (readonly [string, unknown])[];
  readonly inCommand: () => readonly string[];
}

/** A field of a dialog, with what it puts into the request and into the command. */
export function fieldOf(field: Field): Asking {
  const { name, label, kind = 'text', isRequired = false, hint, option, choices = [] } = field;
  const id = `field-${name}`;
  const control =
    kind === 'long'
      ? made('textarea', { id, rows: 2, maxLength: 500 })
      : kind === 'choice'
        ? made('select', { id }, ...choices.map(([value, text]) => made('option', { value }, text)))
        : made('input', { id, type: inputs[kind] ?? 'text', autocomplete: 'off' });
  control.required = isRequired;
  const title = made('label', { htmlFor: id }, label, ...(isRequired ? [] : [made('small', {}, ' (may be empty)')]));
  const note = hint === undefined ? [] : [made('small', { id: `${id}-hint` }, hint)];
  if (hint !== undefined) control.setAttribute('aria-describedby', `${id}-hint`);
  const isFlag = kind === 'flag';
  const value = () => (isFlag ? (control as HTMLInputElement).checked : valueFrom(kind, control.value.trim()));
  const isGiven = () => value() !== '' && value() !== false;
  return {
    row: isFlag
      ? made('p', { className: 'field flag' }, control, made('label', { htmlFor: id }, label))
      : made('p', { className: 'field' }, title, control, ...note),
    control,
    inBody: () => (isGiven() ? [[name, value()]] : []),
    inCommand: () => {
      if (option === undefined || !isGiven()) return [];
      if (isFlag) return [option];
      return [value()].flat().flatMap((said) => [option, quoted(String(said))].filter((part) => part !== ''));
    },
  };
}

const inputs: Readonly<Record<string, string>> = { number: 'number', flag: 'checkbox', instant: 'datetime-local' };

function valueFrom(kind: Field['kind'], text: string): unknown {
  if (text === '') return '';
  if (kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  if (kind === 'instant') return new Date(text).toISOString();
  return kind === 'number' || (kind === 'choice' && /^\d+$/.test(text)) ? Number(text) : text;
}

/** As one word of a POSIX shell. */
const quoted = (text: string): string => (/^[\w.,:@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
