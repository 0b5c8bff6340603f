import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { StateOf, TeamState } from '../../infra/shared/shapes.ts';

/** Where a team keeps the state of SST, with what is special of a cloud. */
export interface StatePlace {
  readonly teamState: (what: StateOf) => TeamState;
  /** The account, and another one. */
  readonly accounts: readonly [string, string];
  /** What a computer of this home has in its environment beside `XDG_CONFIG_HOME`. */
  readonly envOf: (home: string) => StateOf['env'];
  readonly read: (path: string) => Promise<string | undefined>;
  readonly remove: (path: string) => Promise<unknown>;
  /** What is said of a deployment that died, to one who deploys to the other account. */
  readonly diedElsewhere: RegExp;
  /** By which an owner takes away a lock. */
  readonly removal: RegExp;
}

const folders: string[] = [];
let stages = 0;

/** An installation that nobody has deployed yet, and its computers. */
export function newInstallation({ teamState, accounts, envOf, read, remove }: StatePlace) {
  stages += 1;
  const stage = `stage${stages}`;
  const pathOf = (name: string): string => `serin-shop/${stage}/${name}.json`;
  return {
    kept: (name: string) => read(pathOf(name)),
    unlock: () => remove(pathOf('lock')),
    computer() {
      const home = mkdtempSync(join(tmpdir(), 'serin-state-'));
      folders.push(home);
      const said: string[] = [];
      const to = (account: string) =>
        teamState({
          account,
          app: 'serin-shop',
          stage,
          command: 'deploy',
          env: { ...envOf(home), XDG_CONFIG_HOME: home },
          say: (text) => said.push(text),
        });
      const fileOf = (part: string) => join(home, 'sst/state', part, 'serin-shop', `${stage}.json`);
      return {
        said,
        to,
        ...to(accounts[0]),
        /** As SST does while it runs. */
        leaves(part: 'app' | 'passphrase', text: string): void {
          mkdirSync(dirname(fileOf(part)), { recursive: true });
          writeFileSync(fileOf(part), text);
        },
        forgets: (part: 'app') => rmSync(fileOf(part)),
        has: (part: 'app' | 'passphrase') =>
          existsSync(fileOf(part)) ? readFileSync(fileOf(part), 'utf8') : undefined,
      };
    },
  };
}

/** The state of SST is that of the team, whoever deploys and whatever dies; on each cloud in which SST keeps none. */
export function teamStateContract(open: () => StatePlace): void {
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
  const installation = () => newInstallation(open());

  test('what the first deployment leaves is what the second one finds, on another computer', async () => {
    const { computer } = installation();
    const [first, second] = [computer(), computer()];

    await first.begin();
    first.leaves('app', '{"resources":[1]}');
    first.leaves('passphrase', 'c2VjcmV0');
    await first.end();
    await second.begin();
    const found = [second.has('app'), second.has('passphrase')];
    second.leaves('app', '{"resources":[1,2]}');
    await second.end();
    await first.begin();

    expect(found).toEqual(['{"resources":[1]}', 'c2VjcmV0']);
    expect(first.has('app')).toBe('{"resources":[1,2]}');
    await first.end();
  });

  test('two deployments at once: the second is refused, is told who is at it, and changes nothing', async () => {
    const { computer, kept } = installation();
    const [first, second] = [computer(), computer()];

    await first.begin();
    await expect(second.begin()).rejects.toThrow(
      / on .* holds the state of serin-shop, stage\d+ since .*\(serin deploy\): wait/,
    );
    first.leaves('app', '{"by":"first"}');
    await first.end();

    expect(await kept('app')).toBe('{"by":"first"}');
    expect(await kept('lock')).toBeUndefined();
    await second.begin();
    expect(second.has('app')).toBe('{"by":"first"}');
    await second.end();
  });

  test('of many that begin at once one goes on, and the others are told how a lock is taken away', async () => {
    const { computer } = installation();

    const begun = await Promise.allSettled(Array.from({ length: 8 }, () => computer().begin()));

    const refused = begun.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    expect(refused).toHaveLength(7);
    for (const reason of refused) expect(reason).toMatch(open().removal);
  });

  test('a deployment that died is gone on with where it was, with its own files, and by nobody else', async () => {
    const { computer, kept } = installation();
    const [dies, other] = [computer(), computer()];

    await dies.begin();
    dies.leaves('app', '{"half":true}');
    await expect(other.begin()).rejects.toThrow('holds the state');
    // The same command again, on the same computer.
    await dies.begin();

    expect([dies.has('app'), dies.said.join('')]).toEqual(['{"half":true}', expect.stringContaining('broke off here')]);
    dies.leaves('app', '{"whole":true}');
    await dies.end();
    expect(await kept('app')).toBe('{"whole":true}');
  });

  test('a deployment that died is not written over by one to another account', async () => {
    const { computer } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"half":true}');

    await expect(one.to(open().accounts[1]).begin()).rejects.toThrow(open().diedElsewhere);

    expect(one.has('app')).toBe('{"half":true}');
    await one.begin();
    await one.end();
  });

  test('what somebody has brought in past the lock is not overwritten', async () => {
    const { computer, kept, unlock } = installation();
    const [first, second] = [computer(), computer()];
    await first.begin();
    first.leaves('app', '{"by":"first"}');
    // Somebody takes the lock away by hand, and deploys.
    await unlock();
    await second.begin();
    second.leaves('app', '{"by":"second"}');
    await second.end();

    await expect(first.end()).rejects.toThrow('somebody else has changed the state of serin-shop');

    expect(await kept('app')).toBe('{"by":"second"}');
  });

  test('past a lock that was taken away by hand, nobody takes away what another one holds or has brought in', async () => {
    const { computer, kept, unlock } = installation();
    const [first, second, third] = [computer(), computer(), computer()];
    await first.begin();
    first.leaves('app', '{"by":"first"}');
    await first.end();
    await first.begin();
    await unlock();
    await second.begin();

    await first.end();

    await expect(third.begin()).rejects.toThrow('holds the state');
    second.leaves('app', '{"by":"second"}');
    await unlock();
    await third.begin();
    await unlock();
    await second.end();
    // As SST does when it has destroyed all.
    third.forgets('app');
    await expect(third.end()).rejects.toThrow('somebody else has changed the state of serin-shop');
    expect(await kept('app')).toBe('{"by":"second"}');
  });

  test('once SST has taken all away, nothing of it is found again, but its passphrase is', async () => {
    const { computer, kept } = installation();
    const one = computer();
    await one.begin();
    one.leaves('app', '{"resources":[1]}');
    one.leaves('passphrase', 'c2VjcmV0');
    await one.end();

    await one.begin();
    one.forgets('app');
    await one.end();

    expect([await kept('app'), await kept('passphrase')]).toEqual([undefined, 'c2VjcmV0']);
    const next = computer();
    await next.begin();
    expect([next.has('app'), next.has('passphrase')]).toEqual([undefined, 'c2VjcmV0']);
    await next.end();
  });

  test('a file that lay on this computer is not taken for the state of a team that has none', async () => {
    const { computer } = installation();
    const one = computer();
    one.leaves('app', '{"of":"another"}');

    await one.begin();

    expect(one.has('app')).toBeUndefined();
    await one.end();
  });
}
