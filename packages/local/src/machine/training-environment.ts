import { createHash } from 'node:crypto';
import { constants, createReadStream, type Dirent } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownBucket } from '@serin/core/config';
import type { Manifest } from '@serin/core/dataset';
import { Fault } from '@serin/core/fault';
import { canonical, sha256Hex } from '@serin/core/json';
import type { Job, ObjectContent, ObjectInfo, Source } from '@serin/core/ports';

/** The part of the machine that a job may know. */
export interface Machine {
  /** PATH, LANG, TZ: all that a job has of the server's environment. */
  readonly inherited: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly gpus: number;
}

export interface Placed {
  readonly job: Job;
  /** The name of the job on this machine. */
  readonly id: string;
  /** The root of the tree, which stands where `/opt/ml` stands in a SageMaker container. */
  readonly root: string;
  readonly checkpoints: string;
  readonly machine: Machine;
}

export type Tree = ReturnType<typeof treeAt>;

const host = 'algo-1';

/** The directories of a job, under the names of SageMaker's `/opt/ml`. */
export function treeAt(root: string) {
  const output = join(root, 'output');
  return {
    root,
    code: join(root, 'code'),
    input: join(root, 'input'),
    config: join(root, 'input', 'config'),
    data: join(root, 'input', 'data'),
    model: join(root, 'model'),
    output,
    outputData: join(output, 'data'),
    intermediate: join(output, 'intermediate'),
    failure: join(output, 'failure'),
    tracking: join(output, 'mlruns'),
    logs: join(output, 'logs'),
    checkpoints: join(root, 'checkpoints'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
  } as const;
}

/** Where a job writes the output of a name. */
export function outputDirectory(tree: Tree, name: string): string {
  if (name === 'model') return tree.model;
  return name === 'output' ? tree.outputData : join(tree.outputData, name);
}

/** `--name value` for each hyperparameter, as SageMaker's toolkit passes them: sorted, one dash before a single letter. */
export function userArguments(job: Job): readonly string[] {
  return sorted(job.hyperparameters).flatMap(([name, value]) => [`${name.length > 1 ? '--' : '-'}${name}`, value]);
}

/**
 * The command of a job: Azure ML's `${{inputs.x}}` and `${{outputs.y}}` filled in, and for a trainer the arguments.
 * A placeholder that names nothing is `invalid`.
 */
export function commandOf(job: Job, tree: Tree): readonly string[] {
  const fill = (whole: string, kind: string, name: string): string => {
    const value = kind === 'inputs' ? inputOf(job, tree, name) : outputOf(job, tree, name);
    if (value !== undefined) return value;
    throw new Fault(
      'invalid',
      `the command of ${job.key} names ${whole}, which the job does not have; correct the command`,
    );
  };
  const command = job.command.map((part) => part.replace(/\$\{\{\s*(inputs|outputs)\.([\w.-]+)\s*\}\}/g, fill));
  return job.kind === 'train' ? [...command, ...userArguments(job)] : command;
}

const inputOf = (job: Job, tree: Tree, name: string): string | undefined =>
  Object.hasOwn(job.channels, name) ? join(tree.data, name) : own(job.hyperparameters, name);

const outputOf = (job: Job, tree: Tree, name: string): string | undefined =>
  job.outputs.includes(name) ? outputDirectory(tree, name) : undefined;

/**
 * The whole environment of a job: SageMaker's, Vertex AI's, Azure ML's, MLflow's and PyTorch's names at once, over one
 * tree of directories, and nothing of the server's but what is `inherited`. The job's own `environment` wins.
 */
export function trainingEnvironment(placed: Placed): Readonly<Record<string, string>> {
  const { job, machine } = placed;
  const tree = treeAt(placed.root);
  return {
    LANG: 'C.UTF-8',
    ...machine.inherited,
    HOME: tree.home,
    TMPDIR: tree.temporary,
    // Standard output is a pipe: without this the last lines of a job that is killed are lost.
    PYTHONUNBUFFERED: '1',
    ...sageMaker(placed, tree),
    ...vertex(placed, tree),
    ...azureAndMlflow(placed, tree),
    ...distributed,
    ...Object.fromEntries(
      job.outputs.map((name) => [`SERIN_OUTPUT_${name.toUpperCase()}`, outputDirectory(tree, name)]),
    ),
    ...job.environment,
  };
}

// https://github.com/aws/sagemaker-training-toolkit: ENVIRONMENT_VARIABLES.md, environment.py, mapping.py
function sageMaker(placed: Placed, tree: Tree): Record<string, string> {
  const { job, id, machine } = placed;
  const { input, config } = configFiles(placed);
  const entry = entryPoint(job);
  const facts = {
    channels: Object.keys(job.channels).sort(),
    current_host: host,
    current_instance_type: 'local',
    framework_params: {},
    hosts: [host],
    hps: decoded(job.hyperparameters),
    input_config_dir: tree.config,
    input_data_config: input,
    input_dir: tree.input,
    log_level: 20,
    model_dir: tree.model,
    module_dir: tree.code,
    module_name: entry.replace(/\.[^.]*$/, ''),
    network_interface_name: 'lo',
    num_cpus: machine.cpus,
    num_gpus: machine.gpus,
    output_data_dir: tree.outputData,
    output_dir: tree.output,
    output_intermediate_dir: tree.intermediate,
    resource_config: config,
    user_args: userArguments(job),
    user_entry_point: entry,
  };
  const channels = Object.fromEntries(facts.channels.map((name) => [name, join(tree.data, name)]));
  const { hps, channels: _, user_args: __, ...rest } = facts;
  const trainingEnv = { ...rest, channel_input_dirs: channels, hyperparameters: hps, is_master: true, job_name: id };
  return {
    ...prefixed('SM_', facts),
    ...prefixed('SM_CHANNEL_', channels),
    ...prefixed('SM_HP_', job.hyperparameters),
    SM_TRAINING_ENV: canonical(trainingEnv),
    SAGEMAKER_BASE_DIR: tree.root,
    SAGEMAKER_JOB_NAME: id,
    SAGEMAKER_PROGRAM: entry,
    SAGEMAKER_REGION: 'local',
    TRAINING_JOB_NAME: id,
  };
}

// https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
function vertex({ job, id, checkpoints }: Placed, tree: Tree): Record<string, string> {
  const address = ['127.0.0.1:2222'];
  const of = (name: string, variable: string) =>
    Object.hasOwn(job.channels, name) ? { [variable]: join(tree.data, name) } : {};
  return {
    AIP_MODEL_DIR: tree.model,
    AIP_CHECKPOINT_DIR: checkpoints,
    AIP_TENSORBOARD_LOG_DIR: tree.logs,
    ...of('train', 'AIP_TRAINING_DATA_URI'),
    ...of('validation', 'AIP_VALIDATION_DATA_URI'),
    ...of('test', 'AIP_TEST_DATA_URI'),
    CLOUD_ML_JOB_ID: id,
    CLUSTER_SPEC: canonical({
      cluster: { workerpool0: address },
      environment: 'cloud',
      task: { type: 'workerpool0', index: 0 },
    }),
    TF_CONFIG: canonical({ cluster: { chief: address }, environment: 'cloud', task: { type: 'chief', index: 0 } }),
  };
}

/** No MLFLOW_RUN_ID: a script that is given one fails unless a tracking server knows that run. */
function azureAndMlflow({ job, id }: Placed, tree: Tree): Record<string, string> {
  return {
    ...Object.fromEntries(Object.keys(job.channels).map((name) => [`AZURE_ML_INPUT_${name}`, join(tree.data, name)])),
    ...Object.fromEntries(job.outputs.map((name) => [`AZURE_ML_OUTPUT_${name}`, outputDirectory(tree, name)])),
    AZUREML_RUN_ID: id,
    MLFLOW_TRACKING_URI: `file:${tree.tracking}`,
    MLFLOW_EXPERIMENT_NAME: job.model,
  };
}

const distributed = { WORLD_SIZE: '1', RANK: '0', LOCAL_RANK: '0', MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29500' };

/** The contents of `input/config`; hyperparameters are strings there. */
function configFiles({ job, checkpoints }: Placed) {
  const group = { instance_group_name: 'homogeneousCluster', instance_type: 'local', hosts: [host] };
  return {
    input: Object.fromEntries(
      Object.keys(job.channels).map((name) => [
        name,
        { TrainingInputMode: 'File', S3DistributionType: 'FullyReplicated', RecordWrapperType: 'None' },
      ]),
    ),
    config: {
      current_host: host,
      current_instance_type: 'local',
      current_group_name: 'homogeneousCluster',
      hosts: [host],
      instance_groups: [group],
      network_interface_name: 'lo',
    },
    output: job.checkpoints === undefined ? undefined : { LocalPath: checkpoints },
  };
}

/** The script, or the module after `-m`: what SageMaker calls the program. */
const entryPoint = ({ command }: Job): string =>
  command.slice(1).find((part) => !part.startsWith('-')) ?? command[0] ?? '';

/** Values as the toolkit decodes them: `'10'` is the number 10, what is no JSON stays text. */
function decoded(hyperparameters: Job['hyperparameters']): Record<string, unknown> {
  return Object.fromEntries(Object.entries(hyperparameters).map(([name, text]) => [name, decode(text)]));
}

function decode(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const exact =
      typeof value !== 'number' ||
      (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)));
    return exact ? value : text;
  } catch {
    return text;
  }
}

function prefixed(prefix: string, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const text = (value: unknown) => (typeof value === 'string' ? value : canonical(value));
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name.toUpperCase(), text(value)]));
}

const sorted = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
const own = (values: Readonly<Record<string, string>>, name: string) =>
  Object.hasOwn(values, name) ? values[name] : undefined;

// Staging

export interface Stores {
  /** As `Bucket.read`. */
  readonly readObject: (bucket: string, key: string, maxBytes: number) => Promise<ObjectContent | undefined>;
  /** Copies one version of an object into a file; `invalid` when it is not there unchanged. */
  readonly materialise: (bucket: string, key: string, version: string, targetFile: string) => Promise<void>;
  /** Artifacts outside of it are refused. */
  readonly artifacts: string;
}

const maxManifestBytes = 64 * 1024 * 1024;
const copiesAtOnce = 4;

/**
 * Lays out everything a job needs under `draft`, which becomes `placed.root` when the caller renames it.
 *
 * Too big: it takes as long as the copying does, and ends between two files when `signal` aborts. What can never be
 * staged (a missing object, a changed one, an unsafe path) is a Fault that is never retried.
 */
export async function stage(placed: Placed, draft: string, stores: Stores, signal: AbortSignal): Promise<void> {
  const tree = treeAt(draft);
  const { job, checkpoints } = placed;
  const { checkpoints: link, failure: _, root: __, ...directories } = tree;
  for (const directory of Object.values(directories)) await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const name of job.outputs) await mkdir(outputDirectory(tree, name), { recursive: true });
  await mkdir(checkpoints, { recursive: true, mode: 0o700 });
  await symlink(checkpoints, link);
  await writeConfig(placed, tree);
  if (job.code !== undefined) await stageCode(job.code.digest, tree.code, stores, signal);
  for (const [name, source] of Object.entries(job.channels)) {
    const channel = join(tree.data, name);
    await mkdir(channel, { recursive: true });
    if (source.kind === 'manifest') await stageManifest(source, channel, stores, signal);
    else await stageArtifact(name, source, channel, stores, signal);
  }
}

async function writeConfig(placed: Placed, tree: Tree): Promise<void> {
  const { input, config, output } = configFiles(placed);
  const write = (name: string, content: unknown) =>
    writeFile(join(tree.config, `${name}.json`), JSON.stringify(content));
  await write('hyperparameters', placed.job.hyperparameters);
  await write('inputdataconfig', input);
  await write('resourceconfig', config);
  if (output !== undefined) await write('checkpointconfig', output);
}

interface CodeFile {
  readonly path: string;
  readonly blob: string;
  readonly bytes: number;
  readonly executable: boolean;
}

const isDigest = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);

/** Brings a code folder: `code/<digest>.json` names the files, `code/blobs/<sha256>` hold them. */
export async function stageCode(
  digest: string,
  directory: string,
  stores: Pick<Stores, 'readObject'>,
  signal?: AbortSignal,
): Promise<void> {
  if (!/^[0-9a-f]{16,64}$/.test(digest))
    throw new Fault('invalid', `'${digest}' is no digest of a code folder; release the code again`);
  const manifest = (await readManifest(ownBucket, `code/${digest}.json`, stores)) as { readonly files?: unknown };
  const files = Array.isArray(manifest.files) ? (manifest.files as readonly Partial<CodeFile>[]) : [];
  const paths = new Set<string>();
  for (const { path, blob, bytes, executable } of files) {
    signal?.throwIfAborted();
    if (
      typeof path !== 'string' ||
      !isSafePath(path) ||
      paths.has(path) ||
      !isDigest(blob) ||
      !Number.isSafeInteger(bytes)
    ) {
      throw new Fault(
        'invalid',
        `the code ${digest} names a file that cannot be placed: ${JSON.stringify(path)}; release the code again`,
      );
    }
    paths.add(path);
    const content = await readBlob(blob, Number(bytes), path, stores);
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: executable === true ? 0o755 : 0o644, flag: 'wx' });
  }
}

async function readBlob(
  blob: string,
  bytes: number,
  path: string,
  stores: Pick<Stores, 'readObject'>,
): Promise<Uint8Array> {
  const object = await stores.readObject(ownBucket, `code/blobs/${blob}`, Math.max(1, bytes));
  if (object !== undefined && !object.truncated && object.content.length === bytes && hashOf(object.content) === blob)
    return object.content;
  const what = object === undefined ? 'is missing' : 'is not what was released';
  throw new Fault('invalid', `the code file '${path}' (${blob}) ${what}; release the code again`);
}

/** A relative path that stays in its directory on every system. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > 1024 || /[\\\0:]/.test(path)) return false;
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 200);
}

async function stageManifest(
  source: Extract<Source, { kind: 'manifest' }>,
  channel: string,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> {
  const manifest = (await readManifest(source.bucket, source.key, stores)) as Manifest;
  if (!Array.isArray(manifest.chunks))
    throw new Fault('invalid', `${source.key} in the bucket ${source.bucket} is no dataset manifest`);
  const nameOf = channelNames(source.under ?? manifest.prefix);
  for (const chunk of manifest.chunks) {
    const { objects } = (await readManifest(source.bucket, chunk, stores)) as {
      readonly objects: readonly ObjectInfo[];
    };
    if (!Array.isArray(objects))
      throw new Fault('invalid', `${chunk} in the bucket ${source.bucket} is no part of a dataset manifest`);
    const wanted = objects.filter(({ key }) => key.startsWith(source.under ?? ''));
    for (let from = 0; from < wanted.length; from += copiesAtOnce) {
      signal.throwIfAborted();
      await Promise.all(
        wanted.slice(from, from + copiesAtOnce).map(async ({ key, version }) => {
          const target = join(channel, nameOf(key));
          await mkdir(dirname(target), { recursive: true });
          await stores.materialise(manifest.bucket, key, version, target);
          await chmod(target, 0o444);
        }),
      );
    }
  }
}

/** The file of each key: the key without the prefix where that is a safe path that is still free, else its digest. */
function channelNames(prefix: string): (key: string) => string {
  const files = new Set<string>();
  const folders = new Set<string>();
  const parents = (path: string) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return (key) => {
    const path = key.slice(prefix.length).replace(/^\/+/, '') || (key.split('/').at(-1) ?? '');
    const free =
      isSafePath(path) && !files.has(path) && !folders.has(path) && !parents(path).some((parent) => files.has(parent));
    const name = free ? path : sha256Hex(key) + (/^\.\w{1,16}$/.exec(extname(key))?.[0] ?? '');
    files.add(name);
    for (const parent of parents(name)) folders.add(parent);
    return name;
  };
}

async function readManifest(bucket: string, key: string, stores: Pick<Stores, 'readObject'>): Promise<unknown> {
  const object = await stores.readObject(bucket, key, maxManifestBytes);
  if (object === undefined)
    throw new Fault('invalid', `${key} is not in the bucket ${bucket}; the job cannot be given its files`);
  if (object.truncated)
    throw new Fault('invalid', `${key} in the bucket ${bucket} is larger than ${maxManifestBytes} bytes`);
  try {
    return JSON.parse(new TextDecoder().decode(object.content));
  } catch (error) {
    throw new Fault('invalid', `${key} in the bucket ${bucket} is not JSON`, { cause: error });
  }
}

/** A copy, never a hard link: a job that writes into its channel must not change what the registry holds. */
async function stageArtifact(
  name: string,
  { artifact }: Extract<Source, { kind: 'artifact' }>,
  channel: string,
  stores: Stores,
  signal: AbortSignal,
): Promise<void> {
  const from = await artifactPath(name, artifact.uri, stores.artifacts);
  const single = !(await lstat(from)).isDirectory();
  const files = single ? [''] : (await filesUnder(from)).map(({ path }) => path);
  for (const path of files) {
    signal.throwIfAborted();
    const target = join(channel, single ? (from.split(sep).at(-1) ?? name) : path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(from, path), target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o444);
  }
  const copied = await digestOfDirectory(channel);
  if (copied.digest === artifact.digest) return;
  throw new Fault(
    'invalid',
    `the artifact of the channel '${name}' (${artifact.uri}) is not the one of digest ${artifact.digest}; run the job that made it again`,
  );
}

async function artifactPath(name: string, uri: string, artifacts: string): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new Fault(
      'invalid',
      `the artifact of the channel '${name}' (${uri}) ${why}; use one that a job of this machine made`,
      { cause },
    );
  if (!URL.canParse(uri) || new URL(uri).protocol !== 'file:') throw refuse('is not a file of this machine');
  try {
    const path = await realpath(fileURLToPath(uri));
    const inside = relative(await realpath(artifacts), path);
    if (inside !== '' && inside.split(sep)[0] !== '..') return path;
  } catch (error) {
    throw refuse('is gone', error);
  }
  throw refuse('lies outside of the artifact store');
}

/** Files of a directory tree, by path with `/`; anything but files and directories is `invalid`. */
export async function filesUnder(
  directory: string,
): Promise<readonly { readonly path: string; readonly file: string }[]> {
  const entries: Dirent[] = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(directory, file).split(sep).join('/');
      if (entry.isFile()) return { path, file };
      throw new Fault(
        'invalid',
        `${path} is not a file (links and devices cannot be kept); write a copy of the file instead`,
      );
    });
}

/**
 * One digest for a directory: SHA-256 over a line of JSON `[path, sha256, bytes]` per file, in byte order of the paths.
 * Of a directory that holds one file, equal to the digest of that file alone under its name.
 */
export async function digestOfDirectory(
  directory: string,
): Promise<{ readonly digest: string; readonly bytes: number; readonly files: number }> {
  const files = [...(await filesUnder(directory))].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  const whole = createHash('sha256');
  let bytes = 0;
  for (const { path, file } of files) {
    const content = await hashFile(file);
    whole.update(`${JSON.stringify([path, content.digest, content.bytes])}\n`);
    bytes += content.bytes;
  }
  return { digest: whole.digest('hex'), bytes, files: files.length };
}

async function hashFile(file: string): Promise<{ readonly digest: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { digest: hash.digest('hex'), bytes };
}

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
