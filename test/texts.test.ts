import { expect, test } from 'vitest';
import { errorTexts, textsIn } from './error-texts.ts';

const texts = errorTexts();

/** How a next step begins: with an order to the reader. Another verb is welcome here if it is one. */
const orders =
  'abort|add|allow|approve|ask|begin|bring|check|choose|close|continue|correct|create|delete|deploy|discard|encode|end|export|free|' +
  'give|install|keep|leave|let|list|load|log|look|lower|make|move|name|pause|promote|pull|push|put|quote|raise|read|register|' +
  'reject|release|remove|rename|replay|report|resolve|restore|retire|revoke|roll|run|save|see|send|set|shorten|sign|' +
  'split|start|stop|store|train|try|update|use|wait|write';
/** An order, what a field must be, a command that shows it, or a step that is filled in. */
const nextStep = new RegExp(
  `(?:^|[;:,] (?:then |or |and )?|\\b(?:or|and|first|then) )(?:${orders})\\b|\\bmust (?:be|have)\\b|\\b(?:shows|lists) (?:what|your)\\b|\\{mend\\}|\\{mends\\.`,
);

/** Words of a translated register, or that leave the reader without a subject; each with what to write. */
const plainer: readonly (readonly [RegExp, string])[] = [
  [/(?<!\bthere )\b(?:is|are|was) no\b(?! longer| more)/, 'is not a'],
  [/\bwants?\b/, 'needs'],
  [/\balone\b/, 'only'],
  [/\bsuch (?!as\b)/, 'like this, or the thing itself'],
  [/\b(?:what|when|who|which|how)?ever\b(?<!\bever\b(?= since))/, 'any, or each'],
  [/\banew\b/, 'again'],
  [/\bfor ever\b/, 'forever'],
  [/\b(?:is|are|was) gone\b/, 'does not exist any more'],
  [/\bmeans nothing\b/, 'cannot be used'],
  [/\bcannot name\b/, 'cannot be named'],
  [/\bin vain\b/, 'without success'],
  [/\b\d+ (?:\w+ )?at (?:most|least)\b|\} at (?:most|least)\b/, 'at most 3'],
  [/\bnot of Serin\b|\bof nobody\b/, 'does not belong to'],
  [/\balready$|\b(?:fires?|ended|exists?|there) already\b/, 'already before the verb'],
  [/\ball the same\b/, 'anyway'],
  [/\bbe told (?!what)|\bis told\b/, 'gets, is known'],
  [/\bcannot be\b(?= *(?:$|[;,.)]))/, 'is not possible, is not valid'],
  [/^the database failed\b(?!;)/, 'what failed'],
];

/** What is not an error of ours, with the reason. */
const exceptions: readonly (readonly [RegExp, string])[] = [
  [/^Could not find it$/, 'what AWS says, for the rehearsal of a deployment'],
  [/^stopped before the command began$/, 'how a job ended that was asked to'],
  [/ has (?:room for no more|no room for more\b.*)$/, 'completes a sentence that says what to shorten'],
];
const ours = texts.filter(({ text }) => !exceptions.some(([pattern]) => pattern.test(text)));
const shown = ({ place, text }: { readonly place: string; readonly text: string }) => `${place} ${text}`;

test('the script finds the texts of errors, and the exceptions are all in use', () => {
  expect(texts.length).toBeGreaterThan(500);
  expect(exceptions.filter(([pattern]) => !texts.some(({ text }) => pattern.test(text)))).toEqual([]);
});

test('a text of an error says what to do next', () => {
  const without = ours.filter(({ is, text }) => is === 'whole' && !nextStep.test(text));

  expect(without.map(shown)).toEqual([]);
});

test('a text of an error is plain English', () => {
  const found = ours.flatMap((each) => {
    const text = withoutFilled(each.text);
    return plainer.filter(([pattern]) => pattern.test(text)).map(([, instead]) => `${shown(each)} -> ${instead}`);
  });

  expect(found).toEqual([]);
});

test('a text of an error begins in lower case, ends without a full stop, and is short', () => {
  const found = ours.filter(
    ({ text }) =>
      (/^[A-Z][a-z]/.test(text) && !properNames.test(text)) || /[^.]\.$/.test(text) || withoutFilled(text).length > 220,
  );

  expect(found.map(shown)).toEqual([]);
});

const properNames = /^(?:AWS|Azure|Blob|Cloud|CloudWatch|DynamoDB|SageMaker|Serin|Vertex|Artifact|X-Hub|Application)\b/;
const withoutFilled = (text: string): string => text.replace(/\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '{}');

test.each([
  ["throw new Fault('invalid', 'the file is damaged');", 'the file is damaged', 'whole'],
  ["throw new Fault('invalid', `the file $" + '{name} is damaged`);', 'the file {name} is damaged', 'whole'],
  [
    "const mend = 'restore it'; new Fault('invalid', `it is damaged; $" + '{mend}`);',
    'it is damaged; restore it',
    'whole',
  ],
  ["new Failure(2, 'the file is damaged', { mend });", 'the file is damaged', 'part'],
  ["z.string().min(1, { error: 'use a text' });", 'use a text', 'whole'],
  ["const refuse = (why: string) => why; refuse('it is damaged');", 'it is damaged', 'part'],
  ["import { refuse } from './table.ts'; refuse('it is damaged');", 'it is damaged', 'whole'],
])('the script reads %s', (source, text, is) => {
  expect(textsIn(source, 'x.ts')).toMatchObject([{ place: 'x.ts:1', text, is }]);
});

test.each(['cannot read {file}', 'the database failed: {why}', 'there is no log of {key}', 'it is not permitted'])(
  '%s has no next step',
  (text) => {
    expect(text).not.toMatch(nextStep);
  },
);

test.each([
  'the value is no finite number',
  'a gate wants a split',
  'weigh by integers alone',
  "'{cursor}' is no cursor of this list",
  'a job that is not of Serin',
  '{name} cannot name a context',
  '63 letters at most',
  'bring whatever it needs',
])('%s is not plain English', (text) => {
  expect(plainer.some(([pattern]) => pattern.test(text))).toBe(true);
});
