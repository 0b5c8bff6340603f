import { call } from './http.ts';

/** Real requests through the gateway: the weeks of a year, again and again. */
export interface Traffic {
  /** From now on the requests are of this year, as CSV. */
  follow(csv: string): void;
  /** How the requests went so far. */
  counts(): { readonly sent: number; readonly failed: number };
  stop(): void;
}

const everyMs = 8;
/** Weeks from one request to the next: a dozen requests are of the whole year, however slow the machine. */
const stride = 20;

export function replay(url: () => string, csv: string): Traffic {
  let weeks = weeksOf(csv);
  let [next, sent, failed] = [0, 0, 0];
  const send = async (body: string) => {
    sent += 1;
    // A connection that breaks is the kill of the server.
    const answer = await call('POST', `${url()}/endpoints/births/invocations`, body, {
      'content-type': 'application/json',
    }).catch(() => undefined);
    if (answer?.status !== 200) failed += 1;
  };
  const timer = setInterval(() => {
    next = (next + stride) % weeks.length;
    void send(weeks[next] ?? '');
  }, everyMs).unref();
  return {
    follow: (year) => {
      weeks = weeksOf(year);
    },
    counts: () => ({ sent, failed }),
    stop: () => clearInterval(timer),
  };
}

/** A request for each week: its days, and what was born a week before each. */
function weeksOf(csv: string): readonly string[] {
  const days = csv
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const [day, lastWeek] = line.split(',');
      return { day, lastWeek: Number(lastWeek) };
    });
  return Array.from({ length: Math.ceil(days.length / 7) }, (_, week) =>
    JSON.stringify({ instances: days.slice(week * 7, week * 7 + 7) }),
  );
}
