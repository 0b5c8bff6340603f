import { existsSync, readdirSync } from 'node:fs';
import { Failure } from './failure.ts';
import { templates } from './templates.ts';
import type { Terminal } from './terminal.ts';

/** What `init` is to write. */
export interface Wish {
  readonly script: string | undefined;
  readonly template: string | undefined;
  readonly serves: boolean;
}

/** Asks a person what there is already, and what is to come. An empty answer takes the first choice. */
export async function askedWish(terminal: Terminal, directory: string, serves: boolean): Promise<Wish> {
  const script = scriptIn(directory);
  const nothing = { value: 'template', text: 'nothing yet: write a project that works' } as const;
  const training = { value: 'script', text: 'a training script: write a config around it' } as const;
  const has = await choose(
    terminal,
    'What do you have?',
    script === undefined ? [nothing, training] : [training, nothing],
  );
  if (has === 'script') {
    const answer = await ask(terminal, `Which script?${script === undefined ? '' : ` [${script}]`} `);
    const named = answer === '' ? script : answer;
    if (named === undefined) throw new Failure(2, 'no script was named', { mend: 'name one, as in train.py' });
    return { script: named, template: undefined, serves };
  }
  const template = await choose(terminal, 'What do you work with?', [
    ...Object.entries(templates).map(([value, { framework, about }]) => ({ value, text: `${framework}: ${about}` })),
    { value: 'node', text: 'JavaScript: a line, needs nothing but Node' },
  ]);
  if (template === 'node' || !serves) return { script: undefined, template, serves };
  const answer = await ask(terminal, 'Serve the model over HTTP? [Y/n] ');
  return { script: undefined, template, serves: !/^n(o)?$/i.test(answer) };
}

interface Choice<Value extends string> {
  readonly value: Value;
  readonly text: string;
}

/** Asks until the answer is a number of the list, or a name of it. */
async function choose<Value extends string>(
  terminal: Terminal,
  question: string,
  choices: readonly Choice<Value>[],
): Promise<Value | undefined> {
  terminal.say(`${question}\n${choices.map(({ text }, index) => `  ${index + 1}  ${text}\n`).join('')}`);
  for (;;) {
    const answer = await ask(terminal, `1 to ${choices.length} [1] `);
    const index = choices.findIndex(({ value }) => value === answer);
    const chosen = choices[answer === '' ? 0 : index >= 0 ? index : Number(answer) - 1];
    if (chosen !== undefined) return chosen.value;
  }
}

const ask = (terminal: Terminal, question: string): Promise<string> =>
  terminal.ask?.(question) ?? Promise.reject(new Failure(2, 'nobody can be asked here', { mend: 'give --template' }));

/** A script that is there and trains, by its name. */
function scriptIn(directory: string): string | undefined {
  if (!existsSync(directory)) return undefined;
  const names = readdirSync(directory).filter((name) => name.endsWith('.py'));
  return names.find((name) => name === 'train.py') ?? names.find((name) => /train/i.test(name));
}
