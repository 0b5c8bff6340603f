import type { ScriptFacts } from './script-facts.ts';

export interface Wrapped {
  readonly name: string;
  readonly code: string;
  readonly program: string;
  readonly script: string;
  readonly facts: ScriptFacts;
  /** The column that the model predicts, where evaluate.py could be written. */
  readonly target: string | undefined;
  readonly serves: boolean;
}

/** A config around a script, with what was found out about it. */
export function wrappedConfig({ name, code, program, script, facts, target, serves }: Wrapped): string {
  const { hyperparameters, readsRows } = facts;
  const values = Object.entries(hyperparameters).map(
    ([key, value]) => `${scalar(key)}: ${typeof value === 'number' ? value : scalar(value)}`,
  );
  const metric = facts.model.metric ?? 'accuracy';
  return [
    '# yaml-language-server: $schema=./.serin/schema.json',
    `project: ${name}`,
    'models:',
    `  ${name}:`,
    `    # Files that are dropped into .serin/buckets/drops/${name}/ are new data, once nothing was added for so long.`,
    '    # Where a drop has many files that take a while to arrive: 2m.',
    `    data: { bucket: drops, prefix: ${name}/, settle: { quiet: 5s } }`,
    ...(readsRows
      ? [
          '    # Training gets four fifths of the rows, as train.csv; what is held out judges the model.',
          '    split: { holdout: { by: rows, share: 20% } }',
        ]
      : []),
    '    train:',
    `      code: ${scalar(code)}`,
    ...commandLines([program, script], facts),
    ...(values.length === 0
      ? []
      : [
          `      # For one run: serin runs start ${name} --set name=value`,
          `      hyperparameters: { ${values.join(', ')} }`,
        ]),
    ...(target === undefined
      ? [
          '    # Nothing judges the model yet, so a person does. A script that reads rows from {holdout} and the model from',
          '    # {model}, and writes {"auc": 0.9} into metrics.json in SM_OUTPUT_DATA_DIR, makes a gate possible:',
          `    # evaluate: { command: [${program}, evaluate.py, '{holdout}', '{model}'] }`,
          '    # gate: { auc: { direction: up, atLeast: 0.8, noWorseBy: 0.01 } }',
          '    approval: { required: true }',
          '    serve: none',
        ]
      : [
          `    evaluate: { command: [${program}, evaluate.py] }`,
          `    # No worse than the version that serves now, on the same rows. Add atLeast when you know what is good enough.`,
          `    gate: { ${metric}: { direction: up, noWorseBy: 0.02 } }`,
          ...(serves
            ? [
                `    serve: { command: [${program}, serve.py] }`,
                '    # A twentieth of the traffic, then a quarter, then half, for 15 minutes each, then all of it; back at once if',
                '    # requests fail more often than before. To see all of it in the first minute, write instead',
                '    # { steps: [10, 50], bake: 10s, tick: 1s, guard: 10s, guardrails: { errors: { floor: 0.01 } } }',
                '    # With few requests it takes hours: add expected: { rpm: 60 }, and serin validate says how many, and what to write.',
                '    rollout: { steps: [5, 25, 50], bake: 15m }',
              ]
            : ['    serve: none']),
        ]),
    '',
  ].join('\n');
}

function commandLines(
  command: readonly string[],
  { places, variables, before, after, hyperparameters }: ScriptFacts,
): readonly string[] {
  const whole = [...(variables.length === 0 ? [] : ['env', ...variables]), ...command, ...places];
  if (before.length + after.length === 0) return [`      command: [${whole.map(scalar).join(', ')}]`];
  // What a shell script is given after its text begins with its name.
  const rest = Object.keys(hyperparameters).length === 0 ? [] : ['      - train'];
  const run = `${whole.map(shellWord).join(' ')}${rest.length === 0 ? '' : ' "$@"'}`;
  return [
    '      # The script has paths of its own: they lead to the data that was dropped, and the model is taken from there.',
    '      command:',
    '      - sh',
    '      - -c',
    `      - ${scalar([...before, run, ...after].join(' && '))}`,
    ...rest,
  ];
}

const shellWord = (word: string): string => (/^[\w./=-]+$/.test(word) ? word : `"${word.replace(/["\\`]/g, '\\$&')}"`);

/** A text as YAML: without quotes where nobody could take it for anything else. */
export function scalar(text: string): string {
  if (/^(?:[A-Za-z_]|\.\/|--?[A-Za-z])[\w./-]*$/.test(text) && !/^(?:true|false|null)$/i.test(text)) return text;
  if (text === '.') return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: only JSON's form has a way to write them
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}
