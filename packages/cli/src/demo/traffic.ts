import { call } from './http.ts';

/** Real requests through the gateway: the days of a year, again and again. */
export interface Traffic {
  /** How the requests went so far. */
  counts(): { readonly sent: number; readonly failed: number };
  stop(): void;
}

const everyMs = 8;

export function replay(url: () => string, csv: string): Traffic {
  const days = csv
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(',')[0] ?? '');
  let [next, sent, failed] = [0, 0, 0];
  const send = async (day: string) => {
    sent += 1;
    const body = JSON.stringify({ instances: [{ day }] });
    // A connection that breaks is the kill of the server.
    const answer = await call('POST', `${url()}/endpoints/births/invocations`, body, {
      'content-type': 'application/json',
    }).catch(() => undefined);
    if (answer?.status !== 200) failed += 1;
  };
  const timer = setInterval(() => {
    next = (next + 1) % days.length;
    void send(days[next] ?? '');
  }, everyMs).unref();
  return { counts: () => ({ sent, failed }), stop: () => clearInterval(timer) };
}
