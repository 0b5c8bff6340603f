import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesIn } from '../kill/jobs.ts';

/** A file system of its own, whose power can be cut. */
export interface Disk {
  /** Where it is mounted. */
  readonly root: string;
  /** Nothing that is only in memory reaches the disk any more, every process on it dies, and it is mounted again. */
  cutPower(): Promise<void>;
  remove(): Promise<void>;
}

const bytes = 512 * 1024 * 1024;
const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Why this machine cannot cut the power of a disk; `undefined`: it can. */
export function missingHere(): string | undefined {
  if (process.platform !== 'linux') return 'it takes Linux, for ext4 on a loop device';
  if (process.getuid?.() !== 0) return 'it takes root, to mount a file system';
  if (!existsSync('/dev/loop-control')) return 'this machine has no loop devices';
  for (const program of ['mkfs.ext4', 'e2fsck', 'mount', 'umount'])
    try {
      run('sh', '-c', `command -v ${program}`);
    } catch {
      return `${program} is not installed`;
    }
  return undefined;
}

/** An ext4 in a file, mounted below a directory; throws with what `mount` said where that is not allowed. */
export function openDisk(directory: string): Disk {
  const [image, root] = [join(directory, 'disk.img'), join(directory, 'disk')];
  writeFileSync(image, '');
  truncateSync(image, bytes);
  mkdirSync(root);
  run('mkfs.ext4', '-q', '-F', image);
  const mount = () => run('mount', '-o', 'loop', image, root);
  mount();

  /** Killed again and again until none is left: one that is just forking may be missed by one look. */
  async function killAll(): Promise<void> {
    for (let pids = processesIn(root); pids.length > 0; pids = processesIn(root)) {
      for (const pid of pids) kill(pid);
      await sleep(20);
    }
  }

  async function unmount(): Promise<void> {
    await killAll();
    for (let left = 50; isMounted(root); left -= 1) {
      try {
        run('umount', root);
      } catch (error) {
        if (left === 0) throw error;
        await sleep(100);
      }
    }
  }

  return {
    root,
    async cutPower() {
      // The journal ends here: what is committed is replayed by the next mount, what is not was never there.
      run('mount', '-o', 'remount,abort', root);
      await unmount();
      check(image);
      mount();
    },
    remove: unmount,
  };
}

/** 0: clean; 1: errors were mended, which after a power cut is usual. */
function check(image: string): void {
  try {
    run('e2fsck', '-f', '-y', image);
  } catch (error) {
    if ((error as { readonly status?: number }).status !== 1) throw error;
  }
}

const isMounted = (root: string): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${root} `);

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went by itself.
  }
}
