import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfigText } from '../../packages/cli/src/config-text.ts';
import { begin, folder, serin } from './command.ts';

const yaml = `# yaml-language-server: $schema=./.serin/schema.json
project: p
models:
  m:
    data: { bucket: drops, settle: { quiet: 2s } }
    on: { schedule: { cron: '0 3 * * 1' } }
    train:
      code: ./src
      command: [node, train.mjs]
      hyperparameters: { country: NO, epochs: 017, name: '017' }
    approval: {}
`;
const json = JSON.stringify(
  {
    $schema: './.serin/schema.json',
    project: 'p',
    models: {
      m: {
        data: { bucket: 'drops', settle: { quiet: '2s' } },
        on: { schedule: { cron: '0 3 * * 1' } },
        train: {
          code: './src',
          command: ['node', 'train.mjs'],
          hyperparameters: { country: 'NO', epochs: 17, name: '017' },
        },
        approval: {},
      },
    },
  },
  null,
  2,
);

function project(name: string, text: string): string {
  const cwd = folder();
  mkdirSync(join(cwd, 'src'));
  writeFileSync(join(cwd, 'src', 'train.mjs'), '// trains');
  writeFileSync(join(cwd, name), text);
  return cwd;
}

const problemsIn = (text: string, isJson = false): readonly string[] => {
  const read = readConfigText(text, isJson);
  return 'value' in read ? [] : read.problems.map(({ place, message }) => `${place.line}:${place.column} ${message}`);
};

test('one config in YAML and in JSON is the same release, and the same as in TypeScript', async () => {
  const { $schema: _, ...plain } = JSON.parse(json);
  const forms = [
    ['serin.config.yaml', yaml],
    ['serin.config.yml', yaml.replaceAll('\n', '\r\n')],
    ['serin.config.yaml', `\uFEFF${yaml}`],
    ['serin.config.json', json],
    ['serin.config.json', `\uFEFF${json}`],
    ['serin.config.ts', `export default ${JSON.stringify(plain)};`],
  ] as const;

  const answers = await Promise.all(
    forms.map(([name, text]) => serin(['validate', '--json'], { cwd: project(name, text) })),
  );

  expect(answers.map(({ exit, stderr }) => [exit, stderr])).toEqual(forms.map(() => [0, '']));
  const documents = answers.map(({ stdout }) => JSON.parse(stdout));
  expect(new Set(documents.map(({ digest }) => digest)).size).toBe(1);
  expect(new Set(documents.map(({ code }) => code['./src'])).size).toBe(1);
});

test('YAML is read by the rules of 1.2, also where a file asks for others: a country is no truth, and 017 no octal', async () => {
  const text = 'on: yes\ncountry: NO\ncount: 017\nday: 2026-01-02\nwait: 10m\nempty: ~\nnested: { no: off }\n';

  for (const before of ['', '%YAML 1.1\n---\n'])
    expect(readConfigText(before + text, false)).toMatchObject({
      value: {
        on: 'yes',
        country: 'NO',
        count: 17,
        day: '2026-01-02',
        wait: '10m',
        empty: null,
        nested: { no: 'off' },
      },
    });
});

test.each([
  ['a tab', 'a:\n\tb: 1\n', ['2:1 tabs are not allowed as indentation; indent with blanks']],
  ['a key twice', 'a: 1\nb: 2\na: 3\n', ['3:1 map keys must be unique; keep one of them']],
  ['a second document', 'a: 1\n---\nb: 1\n', ['2:1 is a second document; keep one of them']],
  [
    'a schedule without quotes',
    'on:\n  cron: * 3 * * 1\n',
    ["2:9 alias cannot be an empty string; a text that begins with * must be in quotes, as in cron: '0 3 * * 1'"],
  ],
  [
    'a placeholder without quotes',
    `[python3, $${'{{inputs.train}}'}]`,
    ['1:12 missing , or : between flow sequence items; a text with braces must be in quotes'],
  ],
  [
    'two colons',
    'a: b: c',
    ["1:4 nested mappings are not allowed in compact mappings; a text with ': ' in it must be in quotes"],
  ],
  [
    'an object of Python',
    'a: !!python/object x',
    [
      '1:4 unresolved tag: tag:yaml.org,2002:python/object; remove the tag: a config has only text, numbers, true and false',
    ],
  ],
  ['too many digits', 'a:\n  - 12345678901234567890', ['2:5 has more digits than a number can keep; put it in quotes']],
  [
    'two mistakes',
    'a: "x" y\nb: [1\n',
    expect.arrayContaining([expect.stringMatching(/^1:8 /), expect.stringMatching(/^3:1 /)]),
  ],
])('%s in YAML has its line and column, and what to do', async (_, text, said) => {
  expect(problemsIn(text)).toEqual(said);
});

test.each([
  ['{"a": 1,\n "b": {,}}', "2:8 Expected property name or '}'; correct the JSON"],
  ['{"a": 1, // c\n}', '1:10 Expected double-quoted property name; correct the JSON'],
  ["{'a': 1}", "1:2 Expected property name or '}'; correct the JSON"],
  ['{"a": 1', "1:8 Expected ',' or '}' after property value; correct the JSON"],
  ['{"a": 1,\n\t"a": 2}', '2:2 map keys must be unique; keep one of them'],
  ['', '1:1 Unexpected end of JSON input; correct the JSON'],
])('%j is not JSON, and says where', async (text, said) => {
  expect(problemsIn(text, true)).toEqual([said]);
});

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdef'.split('').map((name, index) => {
    const before = `*${'abcde'[index]}`;
    return `${name}: &${name} [${Array(9).fill(before).join(', ')}]`;
  }),
].join('\n');

test.each([
  ['aliases of aliases', bomb, false, /^6:\d+ stands for too much/],
  ['an alias within itself', 'a: &a\n  b: *a\n', false, /^2:6 stands for too much, or for itself/],
  ['thirty thousand brackets', '['.repeat(30_000), false, /^1:\d+ has more than 64 levels/],
  ['as many dashes', '- '.repeat(30_000), false, /^1:\d+ has more than 64 levels/],
  ['as many keys', '? '.repeat(30_000), false, /^1:\d+ has more than 64 levels/],
  ['brackets of JSON', `${'['.repeat(500)}${']'.repeat(500)}`, true, /^1:\d+ has more than 64 levels/],
  ['a megabyte', `a: ${'x'.repeat(1_000_000)}`, false, /^1:1 is longer than 1000000 characters/],
])('%s are refused before they cost anything', async (_, text, isJson, said) => {
  expect(problemsIn(text, isJson)).toEqual([expect.stringMatching(said)]);
});

test('a problem within what an alias stands for is told where it stands', async () => {
  const text = yaml
    .replace('train:\n', 'train: &program\n')
    .replace('approval: {}', 'approval: {}\n    evaluate: *program');

  const { stderr } = await serin(['validate'], { cwd: project('serin.config.yaml', text) });

  expect(stderr).toContain('serin.config.yaml:10:7  models.m.evaluate.hyperparameters  is not a known field');
});

test('a few aliases are what YAML has them for, and a problem in one is told where the value stands', async () => {
  const text = yaml
    .replace('command: [node, train.mjs]', 'command: &command [node, train.mjs]\n      image: &image 5')
    .replace('approval: {}', 'evaluate: { command: *command, image: *image }\n    approval: {}');

  const { exit, stderr } = await serin(['validate'], { cwd: project('serin.config.yaml', text) });

  expect(exit).toBe(2);
  expect(stderr).toContain(
    'serin.config.yaml:10:21  models.m.train.image     is 5: must be of the type string; put it in quotes',
  );
  expect(stderr).toContain('serin.config.yaml:12:36  models.m.evaluate.image  is 5');
});

const wrong = `project: P!
models:
  m:
    data: { bucket: drops, settle: { quiet: 2 } }
    train:
      command: []
    approval: {}
    gates: 1
    gate:
      a.b/c: { direction: up }
`;

test('every problem has its line and column: of a wrong value, of a name that is not known, and of the holder of what is missing', async () => {
  const cwd = project('serin.config.yaml', wrong);

  const text = await serin(['validate'], { cwd });
  const told = JSON.parse((await serin(['validate', '--json'], { cwd })).stdout);

  expect([text.exit, text.stdout]).toEqual([2, '']);
  expect(text.stderr.split('\n').map((line) => line.trim().split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
    'serin: serin.config.yaml has 7 problems',
    'serin.config.yaml:1:10 project',
    'serin.config.yaml:3:3 models.m.split',
    'serin.config.yaml:3:3 models.m.evaluate',
    'serin.config.yaml:4:45 models.m.data.settle.quiet',
    'serin.config.yaml:6:7 models.m.train.command',
    'serin.config.yaml:8:12 models.m.gates',
    'serin.config.yaml:10:7 models.m.gate.a.b/c',
    '',
  ]);
  expect(told.errors.at(-1)).toMatchObject({ pointer: '/models/m/gate/a.b~1c', line: 10, column: 7 });
  expect(told.errors[3]).toMatchObject({ detail: expect.stringContaining("'30s'"), value: 2 });
});

test('problems of a config in JSON have lines as well, and so has what a cloud cannot do', async () => {
  const short = project('serin.config.json', json.replace('"2s"', '"2 s"'));
  const cloud = project('serin.config.json', json.replace('"node"', '"python3"'));

  const [own, aws] = [
    await serin(['validate'], { cwd: short }),
    await serin(['validate', '--cloud', 'aws'], { cwd: cloud }),
  ];

  expect(own.stderr).toContain('serin.config.json:9:20  models.m.data.settle.quiet');
  expect(aws.stderr).toContain('serin.config.json:17:7  models.m.train.image  there is no image for aws');
});

test('a config that takes pushes is warned of for as long as this machine has no secret for its hook', async () => {
  const push = 'ci: { github: { repository: acme/p, ref: refs/heads/main } }';
  const cwd = project('serin.config.yaml', yaml.replace('on: {', `on: { ${push},`));
  const validate = (env: Record<string, string>, ...more: string[]) =>
    serin(['validate', '--json', ...more], { cwd, env });

  const [without, having, cloud] = await Promise.all([
    validate({}),
    validate({ SERIN_GITHUB_SECRET: 's' }),
    validate({}, '--cloud', 'aws'),
  ]);

  const warningsOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).warnings;
  expect(warningsOf(without)).toEqual([expect.stringMatching(/hooks\/github refuses them.*SERIN_GITHUB_SECRET/)]);
  expect([having, cloud].map(warningsOf)).toEqual([[], []]);
});

test('the schema that editors get knows its own name and the form of a duration', async () => {
  const schema = JSON.parse((await serin(['config', 'schema'])).stdout);

  const { settle } = schema.properties.models.additionalProperties.properties.data.properties;
  expect(schema.properties.$schema).toMatchObject({ type: 'string' });
  expect(new RegExp(settle.properties.quiet.pattern).test('2m')).toBe(true);
  expect(new RegExp(settle.properties.quiet.pattern).test('2 min')).toBe(false);
  expect(settle.properties.quiet.description).toMatch(/^Complete/);
});

test('dev follows a config in YAML, says where it is wrong, and keeps the schema of editors', {
  timeout: 60_000,
}, async () => {
  const cwd = project('prod.yaml', yaml);
  const file = join(cwd, 'prod.yaml');

  const child = begin(['dev', '--port', '0', '--json', '--config', 'prod.yaml'], { cwd });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (said += bytes));
  const until = async (text: RegExp) => {
    while (!text.test(said))
      await Promise.race([child.stdout, child.stderr].map((stream) => once(stream ?? child, 'data')));
    said = '';
  };
  await until(/"type":"released"/);
  writeFileSync(file, yaml.replace('quiet: 2s', 'quiet: 2 s'));
  await until(/prod\.yaml:5:45 {2}models\.m\.data\.settle\.quiet/);
  writeFileSync(file, yaml.replace('quiet: 2s', 'quiet: 3s'));
  await until(/"type":"released"/);

  const { properties } = JSON.parse(readFileSync(join(cwd, '.serin', 'schema.json'), 'utf8'));
  expect(properties).toHaveProperty('models');
});
