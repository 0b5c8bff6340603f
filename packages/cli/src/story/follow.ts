import type { EventLog } from '@serin/api/options';
import { durationText } from '@serin/core/base/time';
import type { Standing } from '@serin/core/model/rollout/standing';
import type { Happening } from '@serin/core/sinks/sink';
import type { Document } from '../client.ts';
import type { Terminal } from '../terminal.ts';
import { type StoryLine, storyText } from './line.ts';
import { standingText, teller } from './teller.ts';

export interface Followed {
  readonly log: EventLog;
  readonly terminal: Terminal;
  readonly sizeOf?: (data: Readonly<Record<string, unknown>>) => number | undefined;
  /** A rollout as the API answers it; it is asked for while one goes on, for its counts. */
  readonly rollout: (id: string) => Promise<Document | undefined>;
}

const batch = 100;
/** A rollout is looked at so often; its counts are told at most every `toldEveryMs`, and only if they moved. */
const lookMs = 5_000;
const toldEveryMs = { terminal: 15_000, pipe: 60_000 };

/** Tells what is published from now on, a line an event; with `--json` the events themselves. The answer ends it. */
export function followStory({ log, terminal, rollout, sizeOf }: Followed): () => void {
  let position = log.last();
  const story = teller(sizeOf);
  const looks = new Map<string, { readonly about: string; told: string; at: number }>();
  const say = (line: StoryLine): void => terminal.out(storyText(line, terminal));

  function read(): void {
    for (let events = log.read(position, batch); events.length > 0; events = log.read(position, batch)) {
      for (const { event } of events) take(event);
      position = events.at(-1)?.position ?? position;
    }
  }

  function take(event: Happening): void {
    if (terminal.json) {
      terminal.out(`${JSON.stringify(event)}\n`);
      return;
    }
    const line = story.tell(event);
    if (line !== undefined) say(line);
    const id = String(Object(event.data).rollout ?? '');
    if (/rollout\.(shifted|held)/.test(event.type))
      looks.set(id, { about: line?.about ?? '', told: '', at: Date.now() });
    if (/rollout\.(promoted|rolledback|aborted)/.test(event.type)) looks.delete(id);
  }

  async function look(): Promise<void> {
    for (const [id, known] of looks) {
      const found = await rollout(id).catch(() => undefined);
      const text = found === undefined ? '' : countsText(found);
      const every = terminal.width === undefined ? toldEveryMs.pipe : toldEveryMs.terminal;
      if (!looks.has(id) || text === '' || text === known.told || Date.now() - known.at < every) continue;
      known.told = text;
      known.at = Date.now();
      say({ at: known.at, mark: 'goes', about: known.about, text: `${text}${leftText(found ?? {}, known.at)}` });
    }
  }

  const unsubscribe = log.subscribe(read);
  const timer = setInterval(() => void look(), lookMs).unref();
  read();
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}

function countsText(document: Document): string {
  const standing = Object(document.standing) as Standing; // as the API shows it
  if (standing.candidate === undefined) return '';
  return `at ${standing.weight} %: ${standingText(standing)}`;
}

function leftText({ until, endsAt }: Document, now: number): string {
  const end = Number(endsAt ?? until ?? Number.NaN);
  return end > now ? `; ${durationText(end - now)} left` : '';
}
