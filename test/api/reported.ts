import { encodeText, sha256Hex } from '@serin/core/base/json';
import type { DatasetProfile } from '@serin/core/drift/profile';
import type { DataReport } from '@serin/core/drift/report';
import type { World } from './world.ts';

/** Leaves in the bucket and in the state of `fraud` what a run leaves that validated its dataset. */
export async function keepReport(world: World, profile: DatasetProfile, report: DataReport): Promise<void> {
  const keep = async (folder: string, value: object) => {
    const content = JSON.stringify(value);
    await world.ports.bucket('serin').write(`${folder}/${sha256Hex(content)}.json`, encodeText(content));
    return sha256Hex(content);
  };
  const { rows } = profile;
  await keepSeen(world, { profile: await keep('profiles', profile), rows, report: await keep('reports', report) });
}

export async function keepSeen(world: World, data: object): Promise<void> {
  const head = await world.ports.journal.head('model/fraud');
  if (head === undefined) throw new Error('the model has no state');
  const { stream, seq, hash } = head;
  const state = Object(structuredClone(head.state));
  state.run = { ...state.run, data };
  for (const version of Object.values(state.versions)) Object.assign(Object(version), { data });
  const actor = { subject: 'a', issuer: 'engine', role: 'system' } as const;
  const entry = { stream, seq: seq + 1, at: world.now(), actor, signal: {}, patch: {}, events: [] };
  await world.ports.journal.append(seq, { entry: { ...entry, previousHash: hash, hash: 'next' }, state });
}
