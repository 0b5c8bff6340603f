import { shortType } from '@serin/core/sinks/sink';
import { storyText } from '../story/line.ts';
import { teller } from '../story/teller.ts';
import type { Terminal } from '../terminal.ts';
import type { Running } from './server.ts';

/** The first version is told whole. The others are told by what the gate and the canary said. */
const toldOfOthers = [
  'run.refused',
  'run.succeeded',
  'rollout.promoted',
  'rollout.rolledback',
  'alert.received',
  'alert.resolved',
];
const lookMs = 150;

export interface DemoStory {
  /** Tells what has happened up to now. */
  catchUp(): Promise<void>;
  stop(): void;
}

/** The lines of `serin dev`, while its server is killed and started again. */
export function tellStory(
  server: () => Pick<Running, 'events'>,
  write: (text: string) => void,
  terminal: Pick<Terminal, 'width' | 'paint'>,
): DemoStory {
  const { tell } = teller();
  let position = 0;
  let isFirst = true;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const events = await server()
      .events(position)
      .catch(() => []); // it is being started again
    for (const { position: at, event } of events) {
      position = at;
      const line = tell(event);
      const name = shortType(event.type);
      if (line !== undefined && (isFirst || toldOfOthers.includes(name))) write(storyText(line, terminal));
      if (name === 'rollout.promoted') isFirst = false;
    }
  }

  const catchUp = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const timer = setInterval(() => void catchUp(), lookMs).unref();
  return { catchUp, stop: () => clearInterval(timer) };
}
