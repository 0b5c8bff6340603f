import { type OwnFolder, type PortName, portsOf } from './calls.ts';
import { grantsOf, type Wanted, wantedBy } from './grants.ts';
import type { Places } from './places.ts';
import type { Account, FunctionId } from './shapes.ts';

function account(places: Places, thing: string, does: string, wanted: readonly Wanted[]): Account {
  const email = places.emailOf(thing);
  return { id: places.shortName(thing), name: email, email, does, grants: grantsOf(places, wanted) };
}

/** What a function runs as: its port calls and nothing else, for Cloud Run writes its log by itself. */
export function functionAccount(
  places: Places,
  id: FunctionId,
  { thing, does }: { readonly thing: string; readonly does: string },
): Account {
  const ports: readonly PortName[] = portsOf[id];
  return account(places, thing, does, wantedBy(ports));
}

const wanted = (call: string, why: string, action: string, ...on: Wanted['on']): Wanted => ({ call, why, action, on });
const own = (...folders: readonly OwnFolder[]) => folders.map((folder) => `own/${folder}` as const);

/** Vertex AI writes what a container prints with the rights of its account. */
const writesItsLog = wanted('log', 'writes its log', 'logging.logEntries.create', 'project');

/** The start of a program fetches them: their texts stand in no description of a job or a model. */
const fetchesSecrets = wanted(
  'program',
  'fetches the secrets that its config names',
  'secretmanager.versions.access',
  'programSecrets',
);

/** What a job may do: read data and what the pipeline wrote, write its outputs, its checkpoints and its log. */
export const jobAccount = (places: Places): Account =>
  account(places, 'jobs', 'what jobs run as', [
    wanted('job', 'lists its input and data', 'storage.objects.list', 'ownBucket', 'dataBuckets'),
    wanted('job', 'reads data', 'storage.objects.get', 'dataBuckets'),
    // Never `configs/` or `events/`: environments of all models are in them.
    wanted(
      'job',
      'reads its input, its code, its start and its checkpoints',
      'storage.objects.get',
      ...own('code', 'datasets', 'starts', 'jobs', 'checkpoints'),
    ),
    // Never `code/`, `datasets/`, `starts/` or `configs/`: a job must not change what the next one is made from or runs.
    wanted('job', 'writes outputs and checkpoints', 'storage.objects.create', ...own('jobs', 'checkpoints')),
    wanted('job', 'writes a file of its own anew', 'storage.objects.delete', ...own('jobs', 'checkpoints')),
    fetchesSecrets,
    writesItsLog,
  ]);

/** What a served model may do: read its artifact and its code, and write its log. */
export const modelAccount = (places: Places): Account =>
  account(places, 'models', 'what served models run as', [
    wanted('endpoint', 'lists its artifact', 'storage.objects.list', 'ownBucket'),
    wanted('endpoint', 'reads its artifact and its code', 'storage.objects.get', ...own('jobs', 'code')),
    fetchesSecrets,
    writesItsLog,
  ]);

/** It pushes messages and calls the clock, and has no other right. */
export const pushAccount = (places: Places): Account =>
  account(places, 'push', 'what Pub/Sub and Cloud Scheduler call functions as', []);

/**
 * What Cloud Build makes images of the functions as: else it is the project's default account, which may be an editor of
 * everything, or have no right at all. https://docs.cloud.google.com/functions/docs/securing/build-custom-sa
 */
export const buildAccount = (places: Places): Account =>
  account(places, 'build', 'what Cloud Build makes the functions as', [
    wanted('build', 'writes its log', 'logging.logEntries.create', 'project'),
  ]);
