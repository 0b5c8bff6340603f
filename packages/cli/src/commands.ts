import type { Command } from './invocation.ts';

/** Flags as commander reads them, and what they do. A `repeated` option collects its values. */
export interface OptionSpec {
  readonly flags: string;
  readonly does: string;
  readonly repeated?: true;
}

/** One command: everything that `--help` says, and where its code is. The code is loaded when it runs. */
export interface CommandSpec {
  readonly name: string;
  readonly args?: string;
  readonly summary: string;
  readonly options?: readonly OptionSpec[];
  readonly example?: string;
  readonly load: () => Promise<Command>;
}

const option = (flags: string, does: string): OptionSpec => ({ flags, does });
const repeated = (flags: string, does: string): OptionSpec => ({ flags, does, repeated: true });

const remote = [option('--context <name>', 'the saved server to talk to')];
/** Of what shows times. */
const reading = [...remote, option('--utc', 'exact times, in UTC')];
const changing = [
  ...remote,
  option('--dry-run', 'say what would be sent, and send nothing'),
  option('--idempotency-key <key>', 'the same key and change twice is one change'),
  option('--yes', 'do not ask'),
];
const waiting = [
  option('--wait', 'wait for the end; exit code 6 when it does not come in time'),
  option('--timeout <duration>', "how long --wait waits, such as '10m' (default 1h)"),
];
const config = option('--config <file>', 'the config (default: serin.config.* here)');
const onCloud = option('--cloud <cloud>', 'the cloud: aws (default), gcp or azure');
const listing = [
  ...reading,
  option('--limit <n>', 'at most so many (default 50)'),
  option('--cursor <cursor>', 'go on where a page ended'),
];
const because = option('--because <text>', 'the reason that is recorded');
const ifMatch = option('--if-match <seq>', 'only at this revision; exit code 4 when it moved on');

const resources = () => import('./commands/resources.ts');
const rollouts = () => import('./commands/rollouts.ts');
const events = () => import('./commands/events.ts');
const datasets = () => import('./commands/datasets.ts');
const runs = () => import('./commands/runs.ts');
const versions = () => import('./commands/versions.ts');
const contexts = () => import('./commands/context.ts');
const tokens = () => import('./commands/tokens.ts');
const letters = () => import('./commands/dead-letters.ts');
const configs = () => import('./commands/validate.ts');
const freezes = () => import('./commands/freeze.ts');
const labels = () => import('./commands/labels.ts');
const endpoints = () => import('./commands/endpoints.ts');
const backups = () => import('./commands/backup.ts');
const dataIn = option('--directory <directory>', 'the data directory (default .serin)');

const list = (name: string, summary: string, args?: string, more: readonly OptionSpec[] = []): CommandSpec => ({
  name: `${name} list`,
  ...(args === undefined ? {} : { args }),
  summary,
  options: [...listing, ...more],
  load: async () => (await resources()).list(name),
});
const get = (name: string, summary: string, args: string): CommandSpec => ({
  name: `${name} get`,
  args,
  summary,
  options: reading,
  load: async () => (await resources()).get(name),
});
const onModel = option('--model <model>', 'only of this model');
const onStatus = option('--status <status>', 'only in this state');
const rolloutChange = (
  verb: 'pause' | 'resume' | 'promote' | 'abort',
  summary: string,
  more: readonly OptionSpec[] = [],
): CommandSpec => ({
  name: `rollouts ${verb}`,
  args: '<id>',
  summary,
  options: [because, ...changing, ifMatch, ...more],
  load: async () => (await rollouts()).move(verb),
});

/** Every command, in the order of the help; the headings of its groups are in `groups`. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'init',
    args: '[directory]',
    summary: 'write a small working project',
    options: [
      option('--template <name>', 'a project in Python: sklearn, xgboost, pytorch or onnx; or node, in JavaScript'),
      option('--from <script>', 'a config around a training script that is there already'),
      option('--target <column>', 'with --from: the column that the model predicts (default: what the script says)'),
      option('--no-serve', 'without a server of the model'),
      option('--cloud <clouds>', 'a config for these clouds as well: aws,gcp,azure'),
      option('--force', 'overwrite files, after asking'),
      option('--yes', 'do not ask'),
    ],
    example: 'serin init churn --template sklearn && cd churn && serin dev',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'dev',
    summary: 'run everything on this machine, and release the config whenever it changes',
    options: [
      config,
      option('--port <port>', 'this port or none (default 7373, or the next free one)'),
      option('--host <address>', 'the address to listen on (default 127.0.0.1)'),
      option('--predict-tokens', 'predictions want a token as well: of the role predictor, operator or admin'),
    ],
    load: async () => (await import('./commands/dev.ts')).dev,
  },
  {
    name: 'serve',
    summary: 'run the server on this machine for good: no prompts, a JSON object a line',
    options: [
      dataIn,
      option('--config <file>', 'release this config first, once (default: what was released last)'),
      option('--port <port>', 'the port (default 7373)'),
      option('--host <address>', 'the address to listen on (default 127.0.0.1)'),
      option('--open-predictions', 'predictions want no token'),
    ],
    example: 'serin serve --directory /var/lib/serin',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'demo',
    summary: 'watch a bad model being taken back, on real data, in a minute',
    options: [option('--directory <directory>', 'where it is laid out (default .serin/demo)')],
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'validate',
    summary: 'check the config, and report every problem',
    options: [
      config,
      option('--cloud <cloud>', 'also what this cloud cannot do, and its instances: aws, gcp or azure'),
    ],
    load: async () => (await configs()).validate,
  },
  {
    name: 'config print',
    summary: 'the config with every default written out',
    options: [config],
    load: async () => (await configs()).print,
  },
  { name: 'config schema', summary: 'the JSON Schema of the config', load: async () => (await configs()).schema },
  {
    name: 'release',
    summary: 'make the config and its code what the server runs',
    options: [config, ...changing, ...waiting],
    load: async () => (await import('./commands/release.ts')).release,
  },
  {
    name: 'plan',
    summary: 'what a deployment would consist of, may do and cost; asks nobody',
    options: [
      config,
      onCloud,
      option('--requests', 'also the requests of a first run and a first deployment'),
      option('--account <id>', 'the account or Google project that it is planned for'),
      option('--region <region>', 'the region (default: what the environment says)'),
    ],
    example: 'serin plan --cloud aws --region eu-west-1',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'deploy',
    summary: 'set up or update the backend in a cloud account, by SST',
    options: [config, onCloud, option('--dry-run', 'say what would be written and run, and do neither')],
    load: async () => (await import('./commands/deploy.ts')).deploy,
  },
  {
    name: 'destroy',
    summary: 'take the backend away, by SST; says what stays',
    options: [
      config,
      onCloud,
      option('--dry-run', 'say what would be run, and run nothing'),
      option('--yes', 'do not ask'),
    ],
    load: async () => (await import('./commands/destroy.ts')).destroy,
  },
  {
    name: 'status',
    summary: 'what every model is doing',
    options: [...reading, option('--watch', 'go on, and show what changes')],
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'why',
    args: '<id> [version]',
    summary: 'why a model, version, run or rollout is as it is',
    options: reading,
    example: 'serin why fraud@3',
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'compare',
    args: '<model> [version] [other]',
    summary: 'two versions side by side, or one and the champion: scores, origin, how they served',
    options: reading,
    example: 'serin compare fraud@5 fraud@2',
    load: async () => (await import('./commands/compare.ts')).compare,
  },
  {
    name: 'drop',
    args: '<model> <files...>',
    summary: 'put files where a model takes its data from',
    options: [
      ...remote,
      option('--force', 'replace what is there'),
      option('--dry-run', 'say what would be put, and put nothing'),
    ],
    example: 'serin drop fraud week-48.csv',
    load: async () => (await import('./commands/drop.ts')).drop,
  },
  {
    name: 'predict',
    args: '<model> [input]',
    summary: 'ask a model, and say which version answered',
    options: [
      ...remote,
      option('--data <json>', "the request; or a file, or '-' for standard input, behind the model"),
      option('--content-type <type>', 'its type (default: by the name of the file, or application/json)'),
    ],
    example: `serin predict line --data '{"instances":[{"x":1}]}'`,
    load: async () => (await import('./commands/predict.ts')).predict,
  },
  {
    name: 'logs',
    args: '<what>',
    summary: 'what a run wrote, or the server of a model: run_…, fraud or fraud@5',
    options: [
      ...remote,
      option(
        '--job <kind>',
        'of a run: prepare, train, evaluate or champion (default: the current one, or the one that failed)',
      ),
      option('--attempt <n>', 'of a run: which attempt (default: the current one)'),
      option('--instance <n>', 'of a model: which of its servers (default 0)'),
      option('--from <byte>', 'go on from this byte'),
      option('--follow', 'go on'),
    ],
    example: 'serin logs fraud --follow',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'rollback',
    args: '<model>',
    summary: 'give all traffic back to the last good version',
    options: [option('--to <version>', 'to this version'), because, ...changing, ifMatch, ...waiting],
    load: async () => (await import('./commands/rollback.ts')).rollback,
  },
  {
    name: 'freeze',
    summary: 'stop starts and promotions, never rollbacks',
    options: [
      because,
      option('--until <time>', "thaw by itself: '4h', or a time such as 2026-01-02T08:00:00Z"),
      ...changing,
    ],
    load: async () => (await freezes()).freeze,
  },
  { name: 'thaw', summary: 'end a freeze', options: changing, load: async () => (await freezes()).thaw },
  {
    name: 'doctor',
    summary: 'check this machine, the config and the server',
    options: [
      config,
      option('--deep', 'also read everything that is stored under a digest, and compare it (wants an admin)'),
      ...remote,
    ],
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'backup',
    args: '<folder>',
    summary: 'write a backup of the data directory; a server may run there',
    options: [dataIn],
    example: 'serin backup ../backups/monday',
    load: async () => (await backups()).backup,
  },
  {
    name: 'restore',
    args: '<folder>',
    summary: 'lay a backup out as a data directory, and compare all of it with its digests',
    options: [dataIn],
    load: async () => (await backups()).restore,
  },
  {
    name: 'upgrade',
    summary: 'check that this version can take the data directory over; changes nothing',
    options: [option('--check', 'this is all that it does: starting the new version is the upgrade'), dataIn],
    load: async () => (await backups()).upgrade,
  },
  {
    name: 'service',
    args: '<kind>',
    summary: 'write a unit for systemd, or a file for a container, that runs serin serve',
    options: [
      option('--out <file>', 'where to (default serin.service or Dockerfile)'),
      option('--force', 'overwrite the file'),
    ],
    example: 'serin service systemd',
    load: async () => (await import('./commands/service.ts')).service,
  },
  {
    name: 'completion',
    args: '<shell>',
    summary: 'completion for bash, zsh or fish, to be read by the shell',
    example: 'source <(serin completion bash)',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'the version of this command',
    load: async () => (await import('./commands/version.ts')).printVersion,
  },

  list('models', 'all models'),
  get('models', 'everything about a model', '<model>'),
  {
    name: 'models history',
    args: '<model>',
    summary: 'what served when',
    options: [...reading, option('--at <time>', 'only the version that served then (RFC 3339)')],
    load: async () => (await resources()).history,
  },
  list('datasets', 'dataset versions of a model', '<model>'),
  get('datasets', 'one dataset version', '<model> <digest>'),
  {
    name: 'datasets report',
    args: '<run-or-model> [digest]',
    summary: 'what the validation of a dataset found: of a run, of the newest run of a model, or of a dataset version',
    options: remote,
    load: async () => (await datasets()).report,
  },
  {
    name: 'datasets constraints',
    args: '[model]',
    summary:
      'what the data of the champion suggests to promise of the next data, or what a file promises, as a part of the config',
    options: [
      ...remote,
      option('--from <file>', 'a constraints.json of SageMaker Model Monitor; without a model, its rules as config'),
      option(
        '--format <format>',
        'config (default), or what Model Monitor calls so: sagemaker (constraints.json), statistics, violations (of --from)',
      ),
    ],
    load: async () => (await import('./commands/constraints.ts')).constraints,
  },
  list('runs', 'runs, the newest first', undefined, [onModel, onStatus]),
  get('runs', 'one run', '<id>'),
  {
    name: 'runs watch',
    args: '<id-or-model>',
    summary: 'follow a run, or the newest of a model, to its end; exit code 1 when it failed or was refused',
    options: [
      ...remote,
      option('--watch', 'with --json: a line for each change'),
      option('--timeout <duration>', 'give up after so long (exit code 6)'),
    ],
    load: async () => (await runs()).watch,
  },
  {
    name: 'runs logs',
    args: '<id>',
    summary: 'what a job of a run wrote',
    options: [
      ...remote,
      option('--job <kind>', 'prepare, train, evaluate or champion (default: the current one, or the one that failed)'),
      option('--attempt <n>', 'which attempt (default: the current one)'),
      option('--from <byte>', 'go on from this byte'),
      option('--follow', 'go on until the run has ended'),
    ],
    load: async () => (await runs()).logs,
  },
  {
    name: 'runs start',
    args: '<model>',
    summary: 'start a run now',
    options: [
      option('--force', 'although the same inputs were run before'),
      repeated('--set <name=value>', 'a hyperparameter of this run'),
      because,
      ...changing,
      ...waiting,
    ],
    example: 'serin runs start fraud --set epochs=20 --wait',
    load: async () => (await runs()).start,
  },
  {
    name: 'runs cancel',
    args: '<id>',
    summary: 'stop a run',
    options: [...changing, ifMatch],
    load: async () => (await runs()).cancel,
  },
  {
    name: 'versions list',
    args: '<model>',
    summary: 'versions of a model, with their scores on the hold-out',
    options: reading,
    load: async () => (await versions()).list,
  },
  get('versions', 'one version, such as fraud@5', '<model> [number]'),
  {
    name: 'versions approve',
    args: '<model> [number]',
    summary: 'approve a version that waits',
    options: [
      option('--note <text>', 'recorded with it'),
      option('--override <text>', 'let it start although alerts fire: why'),
      ...changing,
      ifMatch,
    ],
    load: async () => (await versions()).decide('approve'),
  },
  {
    name: 'versions reject',
    args: '<model> [number]',
    summary: 'reject a version: it gets no traffic',
    options: [option('--note <text>', 'recorded with it'), ...changing, ifMatch],
    load: async () => (await versions()).decide('reject'),
  },
  {
    name: 'versions restore',
    args: '<model> [number]',
    summary: 'lift the quarantine of a version, if it has one, and offer it again',
    options: [because, ...changing, ifMatch],
    example: "serin versions restore fraud 5 --because 'rolled back by mistake'",
    load: async () => (await versions()).restore,
  },
  list('rollouts', 'rollouts, the newest first', undefined, [onModel, onStatus]),
  get('rollouts', 'one rollout', '<id>'),
  {
    name: 'rollouts watch',
    args: '<id-or-model>',
    summary: 'follow a rollout, or the newest of a model, to its end; exit code 7 when it was taken back',
    options: [
      ...remote,
      option('--watch', 'with --json: a line for each change'),
      option('--timeout <duration>', 'give up after so long (exit code 6)'),
    ],
    load: async () => (await rollouts()).watch,
  },
  {
    name: 'rollouts verify',
    args: '<id>',
    summary: 'judge a rollout again from its recorded ticks; exit code 1 when the record differs',
    options: [...remote, option('--file <export>', 'from `serin audit export`, without a server')],
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  rolloutChange('pause', 'hold the traffic where it is'),
  rolloutChange('resume', 'go on after a pause or a hold'),
  rolloutChange('promote', 'all traffic to the candidate now', waiting),
  rolloutChange('abort', 'all traffic back now'),
  {
    name: 'drift',
    args: '<model>',
    summary: 'how requests differ from the training data, and what labels say',
    options: reading,
    load: async () => (await import('./commands/drift.ts')).drift,
  },
  {
    name: 'endpoints get',
    args: '<name>',
    summary: 'what an endpoint serves',
    options: remote,
    load: async () => (await endpoints()).getEndpoint,
  },
  {
    name: 'endpoints invoke',
    args: '<name>',
    summary: 'send a request to an endpoint',
    options: [
      ...remote,
      option('--data <json>', "the body ('-' or nothing: standard input)"),
      option('--content-type <type>', 'its type (default application/json)'),
      option('--repeat <n>', 'so many times, then count who answered'),
    ],
    example: `serin endpoints invoke line --data '{"instances":[{"x":1}]}'`,
    load: async () => (await endpoints()).invoke,
  },
  {
    name: 'events list',
    summary: 'what was published, a line an event',
    options: [
      ...reading,
      option('--after <position>', 'only later ones'),
      option('--limit <n>', 'at most so many (default 50)'),
      option('--follow', 'go on'),
    ],
    load: async () => (await events()).list,
  },
  {
    name: 'events get',
    args: '<id>',
    summary: 'one event as it was published, by the id of the list, such as fraud/86/0',
    options: remote,
    load: async () => (await events()).get,
  },
  {
    name: 'events send',
    args: '<type>',
    summary: 'send a CloudEvent',
    options: [
      option('--data <json>', "its data ('-': standard input)"),
      option('--source <uri>', 'who says so (default /serin/cli)'),
      option('--subject <text>', 'what it is about'),
      option('--id <id>', 'the same id twice is one event'),
      ...changing,
    ],
    example: `serin events send dev.serin.data.arrived.v1 --data '{"bucket":"drops","key":"line/a.csv"}'`,
    load: async () => (await events()).send,
  },
  {
    name: 'events replay',
    args: '<stream>',
    summary: 'publish recorded events again, with the same ids',
    options: [
      option('--from <seq>', 'the first entry (default 1)'),
      option('--to <seq>', 'the last entry'),
      ...changing,
    ],
    load: async () => (await events()).replay,
  },
  {
    name: 'labels send',
    args: '<labels>',
    summary: "send outcomes of requests: a file with a JSON object a line, '-', or one as JSON",
    options: [...remote, option('--dry-run', 'read them, and send nothing')],
    example: `serin labels send '{"requestId":"...","time":"2026-01-02T08:00:00Z","truth":"cat"}'`,
    load: async () => (await labels()).send,
  },
  {
    name: 'labels get',
    args: '<model>',
    summary: 'how many labels of a model came to what, and its last files of labels',
    options: remote,
    load: async () => (await labels()).get,
  },
  {
    name: 'dead-letters list',
    summary: 'signals that nobody could use',
    options: listing,
    load: async () => (await resources()).list('dead-letters'),
  },
  {
    name: 'dead-letters replay',
    args: '<id>',
    summary: 'try a signal again',
    options: changing,
    load: async () => (await letters()).close('replay'),
  },
  {
    name: 'dead-letters discard',
    args: '<id>',
    summary: 'close a signal unused',
    options: changing,
    load: async () => (await letters()).close('discard'),
  },
  {
    name: 'tokens create',
    args: '<name>',
    summary: 'make a token; its text is shown once',
    options: [
      option('--role <role>', 'predictor, viewer, operator, approver or admin (default viewer)'),
      repeated('--model <model>', 'only for this model; may be repeated'),
      option('--expires <time>', "until then: '30d', or a time such as 2026-01-02T08:00:00Z"),
      ...changing,
    ],
    load: async () => (await tokens()).create,
  },
  {
    name: 'tokens list',
    summary: 'all tokens, without their texts',
    options: listing,
    load: async () => (await resources()).list('tokens'),
  },
  {
    name: 'tokens revoke',
    args: '<id>',
    summary: 'end a token',
    options: changing,
    load: async () => (await tokens()).revoke,
  },
  {
    name: 'audit verify',
    summary: 'check the hash chain of the history, and that what acts is what the history says',
    options: [
      ...remote,
      option('--stream <stream>', 'only this stream'),
      option(
        '--against <file>',
        'nothing of what --json wrote into this file, or of a backup.json, may have changed (wants an admin)',
      ),
      option('--file <file>', 'check what audit export wrote, without the server'),
    ],
    example: 'serin audit verify --json > root.json && serin audit verify --against root.json',
    load: async () => (await import('./commands/audit.ts')).verify,
  },
  {
    name: 'audit export',
    args: '<stream>',
    summary: 'the entries of a stream such as model/<name>, one JSON object a line',
    options: remote,
    load: async () => (await import('./commands/audit.ts')).exportStream,
  },
  { name: 'context list', summary: 'the saved servers', load: async () => (await contexts()).listContexts },
  {
    name: 'context use',
    args: '[name]',
    summary: 'talk to this server wherever a folder has none of its own',
    options: [option('--none', 'to no saved server, unless --context names one')],
    load: async () => (await contexts()).useContext,
  },
  {
    name: 'context add',
    args: '<name>',
    summary: 'save a server',
    options: [
      option('--url <url>', 'its address'),
      option('--token-stdin', 'read its token from standard input (else SERIN_TOKEN)'),
      option('--use', 'make it the current context'),
    ],
    load: async () => (await contexts()).addContext,
  },
  {
    name: 'context remove',
    args: '<name>',
    summary: 'forget a saved server and its token',
    load: async () => (await contexts()).removeContext,
  },
];

/** Headings of the help by the first word of a command; nouns without one stand under the last. */
export const groups: readonly { readonly heading: string; readonly words: readonly string[] }[] = [
  { heading: 'Start here', words: ['init', 'dev', 'demo', 'serve'] },
  { heading: 'Release', words: ['validate', 'config', 'release', 'plan', 'deploy', 'destroy'] },
  {
    heading: 'Operate',
    words: [
      'status',
      'why',
      'drift',
      'compare',
      'drop',
      'predict',
      'logs',
      'rollback',
      'freeze',
      'thaw',
      'doctor',
      'backup',
      'restore',
      'upgrade',
      'service',
      'completion',
      'version',
    ],
  },
  { heading: 'Look and act', words: [] },
];

/** What a word that has verbs is about. */
export const nouns: Readonly<Record<string, string>> = {
  config: 'the config as the machine reads it',
  models: 'models and what served when',
  datasets: 'dataset versions',
  runs: 'runs: training, evaluation, gate',
  versions: 'model versions and their approval',
  rollouts: 'rollouts: pause, promote, abort',
  endpoints: 'what is served, and requests to it',
  events: 'events in and out',
  labels: 'outcomes of requests',
  'dead-letters': 'signals that nobody could use',
  tokens: 'who may do what',
  audit: 'is the history whole',
  context: 'saved servers',
};
