import { Fault } from '@serin/core/base/fault';
import type { Engine } from '@serin/core/engine/engine';
import type { Journal } from '@serin/core/ports/journal';
import { expect, test } from 'vitest';
import { memoryJournal } from '../../../../test/simulation/fakes/journal.ts';
import { atOnce } from '../../../../test/simulation/fakes/sync.ts';
import { machineHints } from './hints.ts';

test('what fails for good is one dead letter for each reason; what may pass, and the clock, leave none', async () => {
  const journal = atOnce<Journal>(memoryJournal());
  const faults: string[] = [];
  const { undispatched } = machineHints({
    engine: {} as Engine, // nothing is handled here
    journal,
    now: () => 5,
    nudge: () => {},
    fault: (what) => () => void faults.push(what),
  });

  for (const why of ['nobody foresaw this', 'nobody foresaw this', 'nor this'])
    await undispatched('model/fraud', new Fault('defect', why));
  await undispatched('model/fraud', new Fault('throttled', 'too often'));
  await undispatched('clock', new Fault('defect', 'no time'));

  const letters = (await journal.names('dead/')).items.map(({ summary }) => summary);
  expect(letters).toHaveLength(2);
  expect(letters).toContainEqual(expect.objectContaining({ stream: 'model/fraud', because: 'nor this', at: 5 }));
  expect(faults).toEqual(['model/fraud', 'model/fraud', 'model/fraud', 'model/fraud', 'clock']);
});
