import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { clouds } from '@serin/clouds/clouds';
import type { Cloud, CloudFacts } from '@serin/clouds/facts';
import { findConfig } from '../config-file.ts';
import { Failure } from '../failure.ts';
import { type Invocation, textOption } from '../invocation.ts';
import type { Prepared } from '../release.ts';
import { cloudOf, prepareFor } from './for-cloud.ts';
import { isSaid } from './place.ts';
import { foldersAbove, type SettingsFile, settingsFileOf, settingsNameOf, sstFolder } from './settings.ts';
import { cloudModule, hasModule, type StateOf, type TeamState, type Topology, topologyOf } from './topology.ts';

/** A project that SST can deploy, and how. */
export interface Deployable {
  readonly prepared: Prepared;
  readonly facts: CloudFacts;
  readonly topology: Topology;
  readonly settings: SettingsFile;
  /** The environment of the config: it names everything, so it is the stage as well. */
  readonly stage: string;
  /** Where `sst.config.ts` is. */
  readonly directory: string;
  readonly sst: string;
}

type Verb = 'deploy' | 'remove';
/** As `serin` calls it. */
const commandOf = { deploy: 'deploy', remove: 'destroy' } as const satisfies Readonly<Record<Verb, string>>;

/** The project of this invocation. Throws a `Failure` that names all that is missing, each with what to do. */
export async function deployable(invocation: Invocation, verb: Verb): Promise<Deployable> {
  const facts = cloudOf(invocation);
  const { cloud } = facts;
  const prepared = await prepareFor(findConfig(invocation.cwd, textOption(invocation, 'config')), facts);
  const { compiled, config } = prepared;
  const settings = settingsFileOf(compiled, config.directory, facts, invocation);
  const topology = await topologyOf(settings.settings, facts, settings.place);
  const folder = sstFolder(config.directory);
  const sst = findSst(folder ?? config.directory, invocation.env.PATH ?? '');
  const missing = [
    ...(sst === undefined
      ? ["sst: it is neither installed here nor on the PATH; run 'npm install --no-save sst@4.17.1'"]
      : []),
    ...(folder === undefined
      ? [
          `sst.config.ts: neither in ${config.directory} nor above it; put the project into a clone of Serin's repository, which brings it`,
        ]
      : []),
    ...(verb === 'remove' || folder === undefined || canBundle(folder, cloud)
      ? []
      : [
          `the clients of ${cloud}, which the functions are bundled with; run 'npm ci --prefix functions/${cloud}' in ${folder}`,
        ]),
    ...(folder === undefined ? [] : othersIn(folder, facts)),
    ...(facts.places.kept === undefined || isSaid(settings.place) ? [] : [facts.places.kept.missing]),
    // A dry run asks the cloud nothing.
    ...(invocation.options.dryRun === true || hasCredentials(invocation.env, facts)
      ? []
      : [facts.deploys.credentials.missing]),
  ];
  if (sst === undefined || folder === undefined || missing.length > 0)
    throw new Failure(1, `cannot ${commandOf[verb]} ${compiled.project}; add what is missing`, { details: missing });
  return { prepared, facts, topology, settings, stage: compiled.environment, directory: folder, sst };
}

/** A folder that is not a copy of Serin's repository has an `sst.config.ts` of its own, and says itself what it wants. */
function canBundle(folder: string, cloud: Cloud): boolean {
  const functions = join(folder, 'functions', cloud);
  return !existsSync(functions) || existsSync(join(functions, 'node_modules'));
}

/** SST would not know which of them is meant. */
function othersIn(folder: string, { cloud }: CloudFacts): readonly string[] {
  const others = Object.values(clouds)
    .map((facts) => settingsNameOf(facts.cloud))
    .filter((name) => name !== settingsNameOf(cloud) && existsSync(join(folder, name)));
  return others.map(
    (name) =>
      `a folder of its own: ${name} is in ${folder} already; deploy to each cloud from a copy of Serin's repository of its own`,
  );
}

/** Of the folder or one above it, as npm looks, else of the PATH. */
function findSst(directory: string, path: string): string | undefined {
  const places = [
    ...foldersAbove(directory).map((folder) => join(folder, 'node_modules', '.bin')),
    ...path.split(delimiter).filter(isAbsolute),
  ];
  return places.map((folder) => join(folder, 'sst')).find(canRun);
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Does anything say who we are to the cloud? */
function hasCredentials(env: Invocation['env'], { deploys: { credentials } }: CloudFacts): boolean {
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const { variable, path } = credentials.file;
  return credentials.variables.some(isSet) || existsSync(env[variable] ?? join(env.HOME ?? '', path));
}

/**
 * Runs `sst <verb> --stage <stage>` to its end, with the state of the team; what it says goes to standard error. Not 0 is
 * a `Failure`. What SST has left by then is brought back in any case.
 */
export async function runSst(invocation: Invocation, verb: Verb, project: Deployable): Promise<void> {
  const state = await stateOf(invocation, verb, project);
  await told(() => state.begin());
  try {
    await run(invocation, verb, project);
  } finally {
    await told(() => state.end());
  }
}

/** Where SST keeps the state itself, there is nothing to do. */
const keptBySst: TeamState = { begin: async () => {}, end: async () => {} };

async function stateOf({ env, terminal }: Invocation, verb: Verb, project: Deployable): Promise<TeamState> {
  const { facts, settings, stage, prepared } = project;
  if (!hasModule(facts.cloud, 'state')) return keptBySst;
  const { teamState } = await cloudModule<{ readonly teamState: (what: StateOf) => TeamState }>(facts.cloud, 'state');
  return teamState({
    account: settings.place.account,
    app: `serin-${prepared.compiled.project}`,
    stage,
    env,
    command: commandOf[verb],
    say: (text) => terminal.say(text),
  });
}

async function told(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const [what = '', ...mend] = (error instanceof Error ? error.message : String(error)).split(': ');
    throw new Failure(1, what, { mend: mend.join(': ') || undefined, cause: error });
  }
}

async function run(invocation: Invocation, verb: Verb, project: Deployable): Promise<void> {
  const args = [verb, '--stage', project.stage];
  const child = spawn(project.sst, args, {
    cwd: project.directory,
    // By this sst.config.ts knows that the state is that of the team.
    env: { ...invocation.env, SERIN_STATE: 'fetched' },
    stdio: ['inherit', 2, 2],
  });
  // In a terminal Ctrl-C reaches sst as well; a second signal would make it leave its state in disorder.
  if (!invocation.terminal.interactive) invocation.signal.addEventListener('abort', () => child.kill('SIGINT'));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  if (invocation.signal.aborted)
    throw new Failure(130, 'interrupted', { why: `sst ${verb} may be half done`, mend: `run it again` });
  if (code !== 0)
    throw new Failure(1, `sst ${args.join(' ')} ended with ${code === null ? 'a signal' : `exit code ${code}`}`, {
      why: 'its output is above',
      mend:
        verb === 'deploy'
          ? 'correct that and deploy again: it continues where it stopped'
          : 'correct that and destroy again',
    });
}

/**
 * Where the API is, as SST leaves it for its caller: what `run` of sst.config.ts returned. `undefined` where it left none.
 *
 * SST writes the file anew at the end of each deployment: https://github.com/sst/sst/blob/dev/pkg/project/run.go
 */
export async function addressOf({ directory }: Pick<Deployable, 'directory'>): Promise<string | undefined> {
  try {
    const outputs = JSON.parse(await readFile(join(directory, '.sst', 'outputs.json'), 'utf8')) as unknown;
    const { address } = outputs as { readonly address?: unknown };
    return typeof address === 'string' && URL.canParse(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
