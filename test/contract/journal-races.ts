import { Fault } from '@serin/core/base/fault';
import { rewrite } from '@serin/core/engine/rewrite';
import type { Actor, Journal } from '@serin/core/ports/journal';
import { expect } from 'vitest';

const actor: Actor = { subject: 'engine', issuer: 'engine', role: 'system' };

interface Work {
  readonly id: string;
  readonly stream: string;
}

const works: readonly (readonly Work[])[] = Array.from({ length: 8 }, (_, process) =>
  Array.from({ length: 15 }, (_, at) => ({ id: `${process}/${at}`, stream: `model/${(process + at) % 3}` })),
);

/** As the engine does it: what is there already is not written again, and what fails is tried later. */
async function perform(port: Journal, { id, stream }: Work): Promise<void> {
  const next = ({ ids }: { readonly ids: readonly string[] } = { ids: [] }) =>
    ids.includes(id)
      ? undefined
      : {
          at: 1,
          actor,
          signal: { id },
          state: { ids: [...ids, id] },
          due: ids.length,
          name: { key: stream, summary: id },
        };
  for (;;) {
    try {
      await rewrite<{ ids: readonly string[] }>(port, stream, next);
      return;
    } catch (error) {
      if (!(error instanceof Fault) || error.retry === 'never') throw error;
    }
  }
}

/** Eight processes write into three streams; before each work there may be trouble. Nothing is lost, nothing is there twice. */
export async function raceAppends(open: () => Journal, trouble: (process: number, at: number) => void): Promise<void> {
  await Promise.all(
    works.map(async (work, process) => {
      const port = open();
      for (const [at, one] of work.entries()) {
        trouble(process, at);
        await perform(port, one);
      }
    }),
  );

  const journal = open();
  const all = works.flat();
  for (const stream of new Set(all.map((work) => work.stream))) {
    const ids = all.flatMap((work) => (work.stream === stream ? [work.id] : []));
    const entries = await journal.history(stream, undefined, 1000);
    const head = await journal.head(stream);
    expect(entries.map(({ seq }) => seq)).toEqual(ids.map((_, at) => ids.length - at));
    const said = entries.map(({ signal }) => (signal as { readonly id: string }).id);
    expect(said.toSorted()).toEqual(ids.toSorted());
    const followed = entries.slice(0, -1).map((entry) => entry.previousHash);
    expect(entries.map(({ hash }) => hash)).toEqual([head?.hash, ...followed]);
    expect((await journal.names(stream)).items).toMatchObject([{ seq: ids.length, summary: said[0] }]);
  }
  expect((await journal.due(1000)).items).toHaveLength(3);
}
