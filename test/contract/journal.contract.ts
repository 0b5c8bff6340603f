import { digestOf, type Json } from '@serin/core/base/json';
import type { Append, Entry, Journal } from '@serin/core/ports/journal';
import type { Page } from '@serin/core/ports/page';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AdapterOf } from './adapters.ts';

export interface OpenJournal {
  readonly port: Journal;
  close(): Promise<void>;
}

/** An append as the engine would make it. `state` is what the stream holds after it. */
export function appendOf(
  stream: string,
  seq: number,
  state: Json = { seq },
  more: Pick<Append, 'due' | 'name'> = {},
  previousHash = '',
): Append {
  const body = {
    stream,
    seq,
    at: 1_700_000_000_000 + seq,
    actor: { subject: 'ana', issuer: 'token', role: 'operator' },
    signal: { type: 'runRequested', id: `signal ${seq}` },
    patch: state,
    events: [],
    previousHash,
  } satisfies Omit<Entry, 'hash'>;
  return { entry: { ...body, hash: digestOf(body) }, state, ...more };
}

async function all<Item>(read: (cursor?: string) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (let page = await read(); ; page = await read(page.next)) {
    items.push(...page.items);
    if (page.next === undefined) return items;
  }
}

const fault = (code: string) => expect.objectContaining({ name: 'Fault', code });

/** The promises of `Journal`, over a fresh journal for each case. */
export function journalContract(name: AdapterOf<'journal'>, open: () => Promise<OpenJournal>): void {
  describe(`journal: ${name}`, () => {
    let opened: OpenJournal;
    let journal: Journal;
    beforeEach(async () => {
      opened = await open();
      journal = opened.port;
    });
    afterEach(() => opened.close());
    const names = (prefix: string) => all((cursor) => journal.names(prefix, cursor));
    const due = (now: number) => all((cursor) => journal.due(now, cursor));

    test('an empty stream has no head and no history', async () => {
      expect(await journal.head('fraud')).toBeUndefined();
      expect(await journal.history('fraud', undefined, 10)).toEqual([]);
    });

    test('a head and its entry are what was appended', async () => {
      const first = appendOf('fraud', 1, { run: { status: 'training', epochs: 10.5, note: 'ü "\u0000" 😀' } });

      await journal.append(0, first);

      expect(await journal.head('fraud')).toEqual({
        stream: 'fraud',
        seq: 1,
        hash: first.entry.hash,
        state: first.state,
      });
      expect(await journal.history('fraud', undefined, 10)).toEqual([first.entry]);
    });

    test('each append moves the head', async () => {
      await journal.append(0, appendOf('fraud', 1));
      await journal.head('fraud');
      await journal.append(1, appendOf('fraud', 2, { moved: true }));

      expect(await journal.head('fraud')).toMatchObject({ seq: 2, state: { moved: true } });
    });

    test('an append on a stale base is a conflict, and nothing of it is seen', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const won = appendOf('fraud', 2, { by: 'ana' }, { due: 50, name: { key: 'model/fraud', summary: 1 } });
      await journal.append(1, won);

      const late = appendOf('fraud', 2, { by: 'ben' }, { due: 10, name: { key: 'other', summary: 2 } });
      await expect(journal.append(1, late)).rejects.toEqual(fault('conflict'));

      expect(await journal.head('fraud')).toMatchObject({ seq: 2, state: { by: 'ana' } });
      expect(await journal.history('fraud', undefined, 10)).toHaveLength(2);
      expect(await due(100)).toEqual([{ stream: 'fraud', due: 50 }]);
      expect((await names('')).map((row) => row.key)).toEqual(['model/fraud']);
    });

    test('the same append twice is a conflict', async () => {
      await journal.append(0, appendOf('fraud', 1));

      await expect(journal.append(0, appendOf('fraud', 1))).rejects.toEqual(fault('conflict'));
      expect(await journal.history('fraud', undefined, 10)).toHaveLength(1);
    });

    test('an append on an empty stream that claims a history is a conflict', async () => {
      await expect(journal.append(4, appendOf('fraud', 5))).rejects.toEqual(fault('conflict'));

      expect(await journal.head('fraud')).toBeUndefined();
    });

    test('a gap is refused', async () => {
      await journal.append(0, appendOf('fraud', 1));

      await expect(journal.append(1, appendOf('fraud', 3))).rejects.toEqual(fault('conflict'));
      expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
    });

    test('of appends on one base at the same time exactly one succeeds, and its entry is the one kept', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const rivals = Array.from({ length: 20 }, (_, rival) => appendOf('fraud', 2, { rival }));

      const outcomes = await Promise.allSettled(rivals.map((rival) => journal.append(1, rival)));

      const winners = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [at] : []));
      const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(winners).toHaveLength(1);
      expect(losers).toEqual(Array(19).fill(fault('conflict')));
      expect(await journal.head('fraud')).toMatchObject({ seq: 2, state: { rival: winners[0] } });
      expect(await journal.history('fraud', 3, 1)).toMatchObject([{ patch: { rival: winners[0] } }]);
    });

    test('streams at the same time do not disturb each other', async () => {
      const streams = Array.from({ length: 40 }, (_, at) => `model ${at}`);

      await Promise.all(
        streams.map(async (stream) => {
          for (let seq = 1; seq <= 5; seq++) await journal.append(seq - 1, appendOf(stream, seq, { stream, seq }));
        }),
      );

      const heads = await Promise.all(streams.map((stream) => journal.head(stream)));
      expect(heads.map((head) => head?.state)).toEqual(streams.map((stream) => ({ stream, seq: 5 })));
    });

    test('what the caller changes after the call is not appended', async () => {
      const state = { weights: { v1: 100 } };
      const appended = journal.append(0, appendOf('fraud', 1, state));
      state.weights.v1 = 0;
      await appended;
      state.weights.v1 = 50;

      expect(await journal.head('fraud')).toMatchObject({ state: { weights: { v1: 100 } } });
    });

    test('history pages backwards, newest first, without a gap', async () => {
      for (let seq = 1; seq <= 25; seq++) await journal.append(seq - 1, appendOf('fraud', seq));
      await journal.append(0, appendOf('fraud2', 1));

      const seqs: number[] = [];
      for (let before: number | undefined; before === undefined || before > 1; before = seqs.at(-1)) {
        const entries = await journal.history('fraud', before, 10);
        seqs.push(...entries.map((entry) => entry.seq));
      }

      expect(seqs).toEqual(Array.from({ length: 25 }, (_, at) => 25 - at));
      expect(await journal.history('fraud', 1, 10)).toEqual([]);
    });

    test('a stream is due at its time, moves with each append, and ends when an append has none', async () => {
      await journal.append(0, appendOf('fraud', 1, {}, { due: 1000 }));
      await journal.append(0, appendOf('quiet', 1));

      expect(await due(999)).toEqual([]);
      expect(await due(1000)).toEqual([{ stream: 'fraud', due: 1000 }]);

      await journal.append(1, appendOf('fraud', 2, {}, { due: 2000 }));
      expect(await due(1999)).toEqual([]);
      expect(await due(2000)).toEqual([{ stream: 'fraud', due: 2000 }]);

      await journal.append(2, appendOf('fraud', 3));
      expect(await due(Number.MAX_SAFE_INTEGER)).toEqual([]);
    });

    test('each of many due streams comes on some page, once, also when their times are equal', async () => {
      const streams = Array.from({ length: 450 }, (_, at) => `s${String(at).padStart(3, '0')}`);
      await Promise.all(streams.map((stream, at) => journal.append(0, appendOf(stream, 1, {}, { due: at % 3 }))));

      const found = await due(1);

      expect(found.map((row) => row.stream).sort()).toEqual(streams.filter((_, at) => at % 3 !== 2));
    });

    test('names come by prefix, taken literally, in the order of their UTF-8 bytes', async () => {
      const keys = [
        'a%b',
        'a_b',
        'aXb',
        'a',
        'A',
        'ä',
        'äa',
        'b',
        'a\uffff',
        'a\u{10000}',
        'a\u{10ffff}z',
        'a\\b',
        '\u{10ffff}',
      ];
      await Promise.all(
        keys.map((key, at) => journal.append(0, appendOf(`stream ${at}`, 1, {}, { name: { key, summary: { at } } }))),
      );

      const bytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect((await names('')).map((row) => row.key)).toEqual(bytes);
      for (const prefix of [
        'a',
        'a%',
        'a_',
        'ä',
        'a\uffff',
        'a\u{10000}',
        'a\u{10ffff}',
        '\u{10ffff}',
        'A',
        'c',
        'a\\',
      ]) {
        const expected = bytes.filter((key) => key.startsWith(prefix));
        expect([prefix, (await names(prefix)).map((row) => row.key)]).toEqual([prefix, expected]);
      }
    });

    test('a name row follows its stream: key, seq and summary', async () => {
      await journal.append(
        0,
        appendOf('run/1', 1, {}, { name: { key: 'runs/2026', summary: { status: 'training' } } }),
      );
      await journal.append(1, appendOf('run/1', 2, {}, { name: { key: 'runs/2027', summary: { status: 'failed' } } }));

      expect(await names('runs/')).toEqual([
        { key: 'runs/2027', stream: 'run/1', seq: 2, summary: { status: 'failed' } },
      ]);
    });

    test('names page to the end, also with more streams under one key than a page holds', async () => {
      const streams = Array.from({ length: 430 }, (_, at) => `s${String(at).padStart(3, '0')}`);
      await Promise.all(
        streams.map((stream, at) =>
          journal.append(0, appendOf(stream, 1, {}, { name: { key: at < 410 ? 'same' : stream, summary: null } })),
        ),
      );

      const rows = await names('s');

      expect((await journal.names('s')).items.length).toBeLessThanOrEqual(200);
      expect(rows.map((row) => row.stream).sort()).toEqual(streams);
    });

    test('streams of any name stand apart', async () => {
      const streams = ['a', 'A', 'a ', 'a/b', 'a\u0000', 'a\u0000b', 'é', 'e\u0301', "'; --", '%', 'run/ü😀'];
      for (const stream of streams) await journal.append(0, appendOf(stream, 1, { stream }));

      for (const stream of streams) expect(await journal.head(stream)).toMatchObject({ stream, state: { stream } });
    });

    test('a state of 300 KB comes back whole', async () => {
      const state = { versions: Array.from({ length: 3000 }, (_, at) => ({ at, digest: 'f'.repeat(80) })) };

      await journal.append(0, appendOf('fraud', 1, state));

      expect((await journal.head('fraud'))?.state).toEqual(state);
    });

    test('a state that is too big is invalid, and nothing of it is seen', async () => {
      await journal.append(0, appendOf('fraud', 1));
      const huge = { ...appendOf('fraud', 2, {}, { due: 1 }), state: { text: 'x'.repeat(9 * 1024 * 1024) } };

      await expect(journal.append(1, huge)).rejects.toEqual(fault('invalid'));

      expect(await journal.head('fraud')).toMatchObject({ seq: 1 });
      expect(await due(10)).toEqual([]);
    });

    test('a cursor that is not its own is invalid', async () => {
      await expect(journal.names('', 'bm90IG9uZQ')).rejects.toEqual(fault('invalid'));
      await expect(journal.due(1, '%%%')).rejects.toEqual(fault('invalid'));
    });
  });
}
