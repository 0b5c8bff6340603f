import { isDeepStrictEqual } from 'node:util';
import { notData } from '@serin/core/base/data-files';
import { canonical, decodeText } from '@serin/core/base/json';
import type { Manifest } from '@serin/core/engine/dataset';
import { desiredOf } from '@serin/core/model/between/endpoint-wish';
import { modelOwes } from '@serin/core/model/owed';
import { verifyRollout } from '@serin/core/model/rollout/verify';
import type { Model } from '@serin/core/model/state';
import type { ObjectInfo } from '@serin/core/ports/bucket';
import type { Entry } from '@serin/core/ports/journal';
import { projectOwes } from '@serin/core/project/project';
import { matches } from '@serin/core/sinks/sink';
import type { MemoryJournal } from './fakes/journal.ts';
import { checkChains } from './invariants.ts';
import type { Universe } from './universe.ts';
import { Violation } from './world.ts';

const over = (item: object | undefined): boolean => item === undefined || 'endedAt' in item;

/** Why the universe is not at rest yet; `undefined`: nothing goes on, and nothing is owed. */
export function unrest(universe: Universe): string | undefined {
  const { platform, sim, project } = universe;
  if (platform.waiting > 0) return `${platform.waiting} messages wait`;
  if (sim.inFlight.size > 0) return `${sim.inFlight.size} calls are under way`;
  const shared = project();
  if (shared !== undefined) {
    if (Object.keys(shared.debts).length > 0 || projectOwes(shared).length > 0)
      return `project owes ${Object.keys(shared.debts)}`;
    const held = { ...shared.slots, ...shared.waiting, ...shared.grants };
    if (Object.keys(held).length > 0) return `project still holds ${Object.keys(held)}`;
  }
  for (const name of universe.models()) {
    const model = universe.model(name);
    const why = model === undefined ? undefined : modelUnrest(model, universe);
    if (why !== undefined) return `${name}: ${why}`;
  }
  return undefined;
}

function modelUnrest(model: Model, universe: Universe): string | undefined {
  if (!over(model.run)) return `its run is ${model.run?.status}`;
  if (!over(model.rollout)) return `its rollout is ${model.rollout?.status}`;
  if (!['absent', 'converged'].includes(model.endpoint.status)) return `its endpoint is ${model.endpoint.status}`;
  if (!model.retired && model.intake.status !== 'idle') return `its intake is ${model.intake.status}`;
  if (!model.retired && model.labels !== undefined && model.labels.status !== 'idle')
    return `its files of labels are ${model.labels.status}`;
  const debts = Object.keys(model.debts);
  const owed = debts.length > 0 ? debts : modelOwes(model, universe.sim.now).map(({ key }) => key);
  if (owed.length > 0) return `it owes ${owed.join(', ')}`;
  if (model.queued !== undefined && model.freeze === undefined && !model.retired) return 'a trigger waits';
  if (!model.retired && !dataIsKnown(model, universe)) return 'an object is in no dataset version';
  return undefined;
}

/** All data under the prefix are in the newest dataset version (11); those that came after a marker wait for the next (27). */
function dataIsKnown({ intake, plan }: Model, { buckets }: Universe): boolean {
  const { prefix, settle } = plan.data;
  const gateKey = settle.marker ?? settle.manifest;
  const there = buckets.drops.list(prefix).items;
  const gate = there.find(({ key }) => key === prefix + gateKey);
  if (gateKey !== undefined && gate === undefined) return true;
  const isDue = ({ key, written, bytes }: ObjectInfo): boolean =>
    key !== gate?.key &&
    notData(key, bytes, prefix) === undefined &&
    Number(written) < Number(gate?.written ?? Number.POSITIVE_INFINITY);
  const due = there.filter(isDue).map(({ key, version, bytes }) => ({ key, version, bytes }));
  if (intake.dataset === undefined) return due.length === 0;
  const listed = objectsOf(intake.dataset.manifest, buckets);
  return gate === undefined
    ? isDeepStrictEqual(listed, due)
    : due.every((object) => listed.some((known) => isDeepStrictEqual(known, object)));
}

/** The objects that a dataset manifest names. */
export function objectsOf(manifest: string, { serin }: Universe['buckets']): readonly ObjectInfo[] {
  const read = (key: string): unknown => {
    const object = serin.read({ key, maxBytes: 1e9 });
    return object === undefined ? undefined : JSON.parse(decodeText(object.content));
  };
  // Written by the core's `listDataset`.
  const { chunks } = read(manifest) as Manifest;
  return chunks.flatMap((key) => (read(key) as { readonly objects: readonly ObjectInfo[] }).objects);
}

const broken = (invariant: string, message: string): never => {
  throw new Violation(invariant, message);
};

/** What is looked at as well: the chain of every stream, the certificate of every rollout. */
interface AtRest {
  readonly chains: boolean;
  readonly rollouts: boolean;
}

/** The promises that hold once nothing fails any more and time has passed. Each names its number in the design. */
export function checkAtRest(universe: Universe, { chains, rollouts }: AtRest): void {
  const why = unrest(universe);
  if (why !== undefined) broken('13 and 18', `does not come to rest: ${why}`);
  for (const name of universe.models()) {
    const model = universe.model(name);
    if (model !== undefined) checkModel(model, universe);
    if (rollouts) verifyRollouts(name, universe.journal);
  }
  finalRecords(universe);
  events(universe);
  notices(universe);
  if (chains) checkChains(universe.journal);
}

function checkModel(model: Model, universe: Universe): void {
  const { serving, released, registry, journal } = universe;
  const name = `model/${model.model}`;
  const seen = serving.observe(model.model);
  const desired = desiredOf(model);
  const wanted = Object.fromEntries(
    Object.entries(desired.weights).map(([version, weight]) => [`v${version}`, weight]),
  );
  const weights = seen === 'absent' ? {} : seen.weights;
  if (seen !== 'absent' && seen.mirror !== undefined)
    broken('14', `${name} still mirrors to ${seen.mirror.deployment}`);
  if (canonical(weights) !== canonical(wanted))
    broken('14', `${name} serves ${JSON.stringify(weights)} and wants ${JSON.stringify(wanted)}`);
  const deployed = seen === 'absent' ? [] : seen.deployments.map(({ version }) => version).sort();
  if (!isDeepStrictEqual(deployed, [...desired.versions].sort()))
    broken('14', `${name} has deployed ${deployed} and wants ${desired.versions}`);
  if (Object.values(desired.weights).length > 0 && wanted[`v${model.champion}`] !== 100)
    broken('6', `${name}: its champion v${model.champion} does not serve`);

  const plan = released()?.models[model.model];
  if (canonical(plan) !== canonical(model.retired ? undefined : model.plan))
    broken('13', `${name} does not have the released config`);
  if (canonical(universe.project()?.freeze) !== canonical(model.freeze))
    broken('13', `${name} does not know of the freeze`);
  for (const version of Object.values(model.versions)) {
    if (!version.registered) continue;
    const mirrored = registry.get(model.model, version.number);
    if (mirrored?.approval !== version.approval?.status)
      broken(
        '13',
        `${name}: the registry says ${mirrored?.approval} of v${version.number}, not ${version.approval?.status}`,
      );
    if (mirrored?.artifact.digest !== version.artifact.digest)
      broken('9', `${name}: v${version.number} is registered with another artifact`);
  }
  for (const what of ['run', 'rollout'] as const) {
    for (const id of idsOf(journal.entries(name), what)) {
      const record = journal.head(`${what}/${id}`)?.state as
        | { readonly status?: string; readonly endedAt?: number }
        | undefined;
      if (record?.endedAt === undefined) broken('13', `${name}: the record of ${id} says ${record?.status}`);
    }
  }
  const active = universe.jobs.active().filter(({ job }) => job.model === model.model);
  if (active.length > 0) broken('1', `${name}: ${active.map(({ job }) => job.key)} is still paid for`);
}

/** All runs or rollouts that a stream tells of, in order. */
function idsOf(entries: readonly Entry[], what: 'run' | 'rollout'): readonly string[] {
  return [...new Set(entries.flatMap(({ patch }) => idIn(patch, what) ?? []))];
}

function idIn(patch: unknown, what: 'run' | 'rollout'): string | undefined {
  return (patch as Readonly<Record<string, { readonly id?: string } | null | undefined>>)[what]?.id;
}

/** What every rollout decided comes out again from what its journal recorded (15). */
function verifyRollouts(model: string, journal: MemoryJournal): void {
  const entries = journal.entries(`model/${model}`);
  const ids = idsOf(entries, 'rollout');
  for (const [index, id] of ids.entries()) {
    const next = entries.findIndex(({ patch }) => idIn(patch, 'rollout') === ids[index + 1]);
    const { problems } = verifyRollout(index === ids.length - 1 ? entries : entries.slice(0, next), id);
    if (problems.length > 0) broken('15', `${id} of ${model} cannot be verified: ${problems.join('; ')}`);
  }
}

/** Every signal with an id that was answered, or taken in by the queue, has its record (11). */
function finalRecords({ answered, accepted, journal }: Universe): void {
  const decided = new Set(
    journal.streams().flatMap((stream) =>
      journal.entries(stream).map(({ signal }) => {
        const { type, id } = signal as { readonly type?: string; readonly id?: string };
        return `${stream} ${type} ${id}`;
      }),
    ),
  );
  for (const { stream, type, id } of [...answered, ...accepted]) {
    const dead = accepted.some((message) => message.id === id) && journal.head(`dead/${id}`) !== undefined;
    if (!dead && !decided.has(`${stream} ${type} ${id}`))
      broken('11', `${type} '${id}' to ${stream} was answered and left no record`);
  }
}

/** Every event of every entry was published, and first heard of in its order. */
function events({ journal, bus }: Universe): void {
  const heard = bus.received().map(({ id }) => id);
  for (const stream of journal.streams()) {
    const told = journal
      .entries(stream)
      .flatMap(({ seq, events }) => events.map((_, index) => `${stream}/${seq}/${index}`));
    const got = heard.filter((id) => id.startsWith(`${stream}/`));
    if (!isDeepStrictEqual(told, got))
      broken('13', `${stream}: ${told.length} events, ${got.length} heard of, or in another order`);
  }
}

/** Each sink was told, in order, of every event that it wants since it is in the config, or a dead letter says which not (29). */
function notices({ journal, sinks, models, model }: Universe): void {
  for (const name of models()) {
    const stream = `model/${name}`;
    const entries = journal.entries(stream);
    for (const { name: sink, on } of model(name)?.plan.notify ?? []) {
      const since = entries
        .map(({ patch }) => (patch as { readonly notified?: Readonly<Record<string, number>> | null }).notified?.[sink])
        .find((seq) => seq !== undefined);
      const wanted = entries
        .filter(({ seq }) => seq > (since ?? 0))
        .flatMap(({ seq, events }) =>
          events.flatMap(({ type }, index) => (matches(on, type) ? [`${stream}/${seq}/${index}`] : [])),
        )
        .filter((id) => journal.head(`dead/notify/${sink}/${id}`) === undefined);
      const told = sinks.told(sink).flatMap(({ id }) => (id.startsWith(`${stream}/`) ? [id] : []));
      if (!isDeepStrictEqual(wanted, told))
        broken('29', `${sink} was told of ${told.length} events of ${wanted.length}, or in another order`);
    }
  }
}
