import type { Running } from '../kill/machine.ts';

/** What the server finds under a digest that is not its own. */
export async function damaged({ url, token }: Running): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const kind of ['objects', 'artifacts'])
    for (let next: string | undefined = ''; next !== undefined; ) {
      const query = new URLSearchParams({ of: kind, ...(next === '' ? {} : { cursor: next }) });
      const headers = { authorization: `Bearer ${token}` };
      const response: Response = await fetch(`${url}/v1/audit/digests?${query}`, { headers });
      if (!response.ok) return [`${response.status} ${await response.text()}`];
      const page = (await response.json()) as { readonly problems: readonly Named[]; readonly next?: string };
      problems.push(...page.problems.map(({ name, problem }) => `${name}: ${problem}`));
      next = page.next;
    }
  return problems;
}

interface Named {
  readonly name: string;
  readonly problem: string;
}

/** The one reason for which a job may fail here; what a cut left of its files is never one. */
export const wasCutOff = (reason: string): boolean => reason.startsWith('the job was interrupted: its runner is gone');
