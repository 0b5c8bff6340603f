/** A variable that Serin itself reads on one machine; those that it sets for programs of users are in docs/scripts.md. */
interface Variable {
  readonly name: string;
  readonly readBy: string;
  readonly means: string;
}

export const variables: readonly Variable[] = [
  {
    name: 'SERIN_URL',
    readBy: 'each command, Python',
    means: 'The server to talk to, with `SERIN_TOKEN`; it wins over the server of the folder.',
  },
  {
    name: 'SERIN_TOKEN',
    readBy: 'each command, Python',
    means: 'The token for `SERIN_URL`, or for the context that is named.',
  },
  {
    name: 'SERIN_GITHUB_SECRET',
    readBy: '`serve`, `dev`',
    means: "The secret of GitHub's webhook; several, separated by commas, while one is replaced.",
  },
  {
    name: 'SERIN_WEBHOOK_SECRET',
    readBy: '`serve`, `dev`',
    means: 'The secret of a Standard Webhook (`whsec_...`); several, separated by commas.',
  },
  {
    name: 'SERIN_SECRET_<NAME>',
    readBy: '`serve`, `dev`',
    means: 'The text of a secret that a config names; else the file `secrets/<name>` of the data directory.',
  },
  {
    name: 'SERIN_HOSTS',
    readBy: '`serve`, `dev`',
    means: 'Further names under which the server answers, separated by commas: those of a proxy in front of it.',
  },
  {
    name: 'PATH, LANG, TZ',
    readBy: '`serve`, `dev`',
    means: 'Handed to jobs and model servers; nothing else of the environment is.',
  },
  {
    name: 'VIRTUAL_ENV, CONDA_PREFIX',
    readBy: '`serve`, `dev`, `validate`',
    means:
      'An environment of Python that is active: with `VIRTUAL_ENV`, jobs and model servers do not look into `.venv` beside the config first.',
  },
  { name: 'NO_COLOR', readBy: 'each command', means: 'Any value: no colours.' },
  { name: 'TERM', readBy: 'each command', means: '`dumb`: no colours.' },
  {
    name: 'HOME, XDG_CONFIG_HOME',
    readBy: 'each command',
    means: 'Where saved contexts are: `serin/contexts.json` below it.',
  },
];

export const variableBlock = (): string =>
  [
    '| variable | read by | meaning |',
    '| --- | --- | --- |',
    ...variables.map(({ name, readBy, means }) => `| \`${name}\` | ${readBy} | ${means} |`),
  ].join('\n');
