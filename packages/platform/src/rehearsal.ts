import { Fault } from '@serin/core/base/fault';
import { encodeText } from '@serin/core/base/json';
import { secretsOf, type Variables } from '@serin/core/base/variables';
import type { Ask, ModelAsks } from '@serin/core/ports/ask';
import type { Bucket } from '@serin/core/ports/bucket';
import type { Artifact, Job } from '@serin/core/ports/jobs';
import type { Ports } from '@serin/core/ports/ports';
import type { Serving } from '@serin/core/ports/serving';
import { archiveKey, type StartFile } from './code/archive.ts';
import { artifactAt, type Objects } from './jobs/artifacts.ts';
import type { Supplies } from './jobs/supplies.ts';
import type { Rest, RestCall } from './rest.ts';

export interface Request {
  readonly call: string;
  readonly when: string;
  readonly request: unknown;
}

/** A platform whose clients write down what they would send. */
export interface Rehearsed {
  readonly ports: Pick<Ports, 'jobs' | 'registry' | 'serving'>;
  /** The artifact of an earlier job, where the platform would have it. */
  readonly placed: (artifact: Artifact) => Promise<Artifact>;
}

/**
 * The requests that the ports would send to a provider for these models, in order. The real ports run here. Nothing
 * leaves this computer, and whatever they ask for is absent.
 */
export async function rehearse(
  models: readonly ModelAsks[],
  over: (take: (call: string, request: unknown) => void) => Rehearsed,
): Promise<readonly Request[]> {
  const requests: Request[] = [];
  for (const { model, asks } of models) {
    let when = '';
    const platform = over((call, request) => requests.push({ call, when, request }));
    for (const ask of asks) {
      when = `${model}: ${titleOf(ask)}`;
      await perform(platform, model, ask);
    }
  }
  return requests;
}

const titleOf = (ask: Ask): string => {
  if (ask.kind === 'job') return `the ${ask.job.kind} job of its first run`;
  return ask.kind === 'version' ? 'its first version is registered' : 'its first deployment';
};

async function perform({ ports, placed }: Rehearsed, model: string, ask: Ask): Promise<void> {
  if (ask.kind === 'job') await ports.jobs.start(await jobPlaced(ask.job, placed));
  if (ask.kind === 'version') {
    const version = { ...ask.version, artifact: await placed(ask.version.artifact) };
    await registered(() => ports.registry.register(version));
  }
  if (ask.kind === 'deploy') {
    const deployment = { ...ask.deployment, artifact: await placed(ask.deployment.artifact) };
    await ports.serving('endpoint').change(model, { kind: 'deploy', deployment });
  }
}

async function jobPlaced(job: Job, placed: Rehearsed['placed']): Promise<Job> {
  const channels = await Promise.all(
    Object.entries(job.channels).map(async ([name, source]) =>
      source.kind === 'manifest'
        ? ([name, source] as const)
        : ([name, { ...source, artifact: await placed(source.artifact) }] as const),
    ),
  );
  return { ...job, channels: Object.fromEntries(channels) };
}

/** The registry waits until the version is listed, which never happens here. It has sent everything by then. */
async function registered(register: () => Promise<void>): Promise<void> {
  try {
    await register();
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'unavailable')) throw error;
  }
}

/**
 * Variables of the functions as texts: one that is known only after a deployment stands as its name in angle brackets.
 */
export const textsOf = (variables: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : `<${name}>`]),
  );

/** Only the start of a program gets secrets. Here their names are shown. */
export const secretNamesOf = (variables: Variables): Readonly<Record<string, string>> =>
  secretsOf(variables, (name) => `<secret ${name}>`);

/** What is named by its content has no name before it is made. */
export const imaginedSupplies = (start?: StartFile): Supplies => ({
  archive: async (digest) => archiveKey(digest, start),
  manifest: async () => ({ key: 'datasets/manifests/<digest>.json', bucket: '<bucket of the data>', bytes: 1 }),
});

/** A bucket that has everything that jobs leave. */
export const imagined: Bucket = {
  list: async (prefix) => ({
    items: [{ key: prefix.endsWith('/') ? `${prefix}<file>` : prefix, version: '<version>', bytes: 1 }],
  }),
  read: async () => undefined,
  write: async () => 'written',
};

/** A first deployment of several operations, each begun when the one before it is there. */
export const inSteps = (steps: number, serving: Serving): Serving => ({
  ...serving,
  async change(endpoint, operation) {
    for (let begun = 1; begun < steps; begun++) await serving.change(endpoint, operation);
    return serving.change(endpoint, operation);
  },
});

/** Puts artifacts where a cloud has them, which the walk does not know: here every output is a folder. */
export const placing =
  (uriOf: (path: string) => string, objects: Objects): Rehearsed['placed'] =>
  async (artifact) => {
    const path = artifact.uri.replace(/^\w+:\/\/[^/]+\//, '').replace(/\.tar\.gz$/, '/');
    const uri = uriOf(path);
    return (await artifactAt(uri, objects)) ?? { ...artifact, uri };
  };

/** A REST client whose answers are made here. The ports read no more of them than is in them. */
export const answering = <Call extends RestCall>(answerTo: (call: Call) => object): Rest<Call> => ({
  json: async <Body>(call: Call) => answerTo(call) as Body,
  async bytes(call) {
    return { status: 200, headers: new Headers(), content: encodeText(JSON.stringify(answerTo(call))) };
  },
});
