import { journalUses } from '@serin/clouds/gcp/journal';
import type { CostAtRest } from '../../shared/shapes.ts';
import { plans } from './functions.ts';
import type { Alarm, LogMetric } from './shapes.ts';

const minutesPerMonth = 730 * 60;
/** A guess until `npm run bench:cold` and a live account say better. */
const clockSeconds = 0.3;
/** What a function gets of a processor for its memory. https://docs.cloud.google.com/functions/docs/configuring/memory */
const clockProcessors = 0.333;

/** What an installation without work uses, as quantities; endpoints of models come on top. */
export function costsOf(alarms: readonly Alarm[], logMetrics: readonly LogMetric[]): readonly CostAtRest[] {
  const assumed = `the clock, ${clockSeconds} s each time (assumed)`;
  return [
    { service: 'run', unit: 'request', perMonth: minutesPerMonth, why: 'the clock' },
    { service: 'run', unit: 'vCPU-second', perMonth: minutesPerMonth * clockSeconds * clockProcessors, why: assumed },
    {
      service: 'run',
      unit: 'GiB-second',
      perMonth: (minutesPerMonth * clockSeconds * plans.clock.memoryMb) / 1024,
      why: assumed,
    },
    { service: 'scheduler', unit: 'job', perMonth: 1, why: 'the clock' },
    {
      service: 'firestore',
      unit: 'document read',
      perMonth: minutesPerMonth * journalUses.due.reads,
      why: `the clock: ${journalUses.due.requests} queries that find nothing`,
    },
    { service: 'monitoring', unit: 'condition of an alert', perMonth: alarms.length, why: "Serin's own alarms" },
    {
      service: 'monitoring',
      unit: 'metric of logs',
      perMonth: logMetrics.length,
      why: 'what the functions count: by their bytes',
    },
  ];
}
