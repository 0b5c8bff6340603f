import { createHash, randomUUID } from 'node:crypto';
import { asFault } from '@serin/core/base/fault';
import type { Engine } from '@serin/core/engine/engine';
import { findModel } from '@serin/core/engine/find';
import type { Signal } from '@serin/core/engine/outcome';
import type { OutsideSignal } from '@serin/core/model/protocol';
import { engineActor } from '@serin/core/ports/actors';
import type { Journal } from '@serin/core/ports/journal';
import { buryFailed } from '@serin/platform/letters';

interface Options {
  readonly engine: Engine;
  readonly journal: Journal;
  readonly now: () => number;
  /** A stream owes something. */
  readonly nudge: (stream: string) => void;
  /** Takes what went wrong with this. */
  readonly fault: (what: string) => (error: unknown) => void;
}

/** What the machine itself notices, told to the streams that it concerns. Nobody waits for it. */
export function machineHints({ engine, journal, now, nudge, fault }: Options) {
  function hint(stream: string, body: OutsideSignal): void {
    const signal: Signal = { id: `hint-${randomUUID()}`, at: now(), actor: engineActor, ...body };
    engine.receive(stream, signal).then((outcome) => outcome.kind === 'moved' && nudge(stream), fault(stream));
  }

  /** A job says itself whose it is: by its run. */
  async function ownerHinted(job: string): Promise<void> {
    const model = await findModel(journal, { job });
    if (model !== undefined) hint(`model/${model}`, { type: 'jobHinted' });
  }

  return {
    hint,
    hintJob: (job: string): void => void ownerHinted(job).catch(fault('a job ended')),

    /** What nobody foresaw is kept as a dead letter, once for each reason, so that it is seen and can be replayed. */
    async undispatched(stream: string, error: unknown): Promise<void> {
      fault(stream)(error);
      const { retry, message } = asFault(error);
      if (retry !== 'never' || stream === 'clock') return;
      const id = createHash('sha256').update(`${stream}\n${message}`).digest('hex').slice(0, 24);
      const failed = { id, stream, signal: { type: 'clockTicked' }, at: now() };
      await buryFailed(journal, error, failed).catch(fault('a dead letter'));
    },
  };
}
