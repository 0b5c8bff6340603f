/** Real requests through the gateway: the days of a year, again and again. */
export interface Traffic {
  /** How the requests went so far. */
  counts(): { readonly sent: number; readonly failed: number };
  stop(): void;
}

const everyMs = 20;

export function replay(url: () => string, csv: string): Traffic {
  const days = csv
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(',')[0] ?? '');
  let [next, sent, failed] = [0, 0, 0];
  const send = async (day: string) => {
    sent += 1;
    try {
      const answer = await fetch(`${url()}/endpoints/births/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ instances: [{ day }] }),
      });
      await answer.arrayBuffer();
      if (!answer.ok) failed += 1;
    } catch {
      failed += 1; // the server was killed
    }
  };
  const timer = setInterval(() => {
    next = (next + 1) % days.length;
    void send(days[next] ?? '');
  }, everyMs).unref();
  return { counts: () => ({ sent, failed }), stop: () => clearInterval(timer) };
}
