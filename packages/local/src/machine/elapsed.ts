import { uptime } from 'node:os';

/** `os.uptime` has a resolution of 10 ms at best, and of a second on some systems. */
const resolutionMs = 2000;
const lookMs = 1000;

/**
 * Milliseconds that have passed, those in which the machine slept included: for them the monotonic clock of a process
 * stands still (Linux, macOS), and the time since the machine was started does not. Setting the wall clock moves neither.
 */
export function elapsedWithSleep(
  awake: () => number = () => performance.now(),
  sinceBoot: () => number = () => uptime() * 1000,
): () => number {
  let asleep = 0;
  let seen = { awake: awake(), sinceBoot: sinceBoot() };
  return () => {
    const now = awake();
    if (now - seen.awake >= lookMs) {
      const up = sinceBoot();
      const slept = up - seen.sinceBoot - (now - seen.awake);
      if (slept > resolutionMs) asleep += slept;
      seen = { awake: now, sinceBoot: up };
    }
    return now + asleep;
  };
}
