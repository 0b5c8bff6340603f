import { defined } from '../../base/objects.ts';
import { durationText, minute, second } from '../../base/time.ts';
import type { JobCompute, ModelPlan, Program } from '../../config/config.ts';
import { type StepName, stepPlan } from '../../config/parts.ts';
import type { Job, JobDescription } from '../../ports/jobs.ts';
import type { Effect } from '../protocol.ts';
import {
  type Base,
  bare,
  endRun,
  type JobTrack,
  type Run,
  type RunContext,
  type WithJob,
  type Working,
} from './state.ts';
import { steps } from './steps.ts';

/** A run that waits for the first attempt, or the next one, of a step's job. */
export function beginJob(run: Base, part: StepName, at: number, attempt = 1, notBefore = at): Run {
  const deadline = notBefore + computeOf(run.plan, part).maxWait;
  const began = { ...run.began, [part]: run.began?.[part] ?? at };
  return withStatus({ ...run, began }, stepPlan(part).waiting[0], {
    part,
    attempt,
    notBefore,
    deadline,
    looks: 0,
    lookAt: notBefore,
  });
}

/** A description of the job that is waited for: still going, gone wrong, worth another attempt, or `done`. */
export function noteJob(
  run: Working,
  at: number,
  description: JobDescription,
  done: (run: Working, description: JobDescription) => Run,
): Run {
  const { part, attempt } = run.job;
  if (description.status === 'running') return withStatus(run, stepPlan(part).running[0], noteRunning(run, at));
  if (!isOver(description)) return { ...run, job: noteLook(run.job, at) };
  if (description.status === 'succeeded') {
    const { unread = {} } = description;
    const noted = Object.keys(unread).length === 0 ? run : { ...run, unread: { ...run.unread, [part]: unread } };
    return done(noted, description);
  }
  const because = `the ${part} job ${description.status}: ${description.reason ?? 'without a reason'}`;
  if (description.retryable === undefined || attempt >= run.plan.train.attempts)
    return endRun(run, at, 'failed', attempt > 1 ? `${because} (attempt ${attempt})` : because);
  const pause = (description.retryable === 'capacity' ? 5 * minute : 10 * second) * 2 ** (attempt - 1);
  return beginJob(run, part, at, attempt + 1, at + pause);
}

export function stopJob(run: WithJob, at: number, then: 'failed' | 'cancelled', because: string): Run {
  // The next attempt has not begun: there is no job to stop, and none is started to be stopped.
  if (at < run.job.notBefore) return endRun(run, at, then, because);
  return { ...bare(run), status: 'stopping', job: { ...run.job, lookAt: at }, then, because, asked: false };
}

export const isOver = ({ status }: JobDescription): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'stopped';

export const noteLook = (job: JobTrack, at: number): JobTrack => ({
  ...job,
  looks: job.looks + 1,
  lookAt: at + Math.min(minute, second * 2 ** Math.min(job.looks, 6)),
});

/** Why a job is not waited for any longer. */
export function overdueText({ plan, job }: WithJob): string {
  const { maxRuntime, maxWait } = computeOf(plan, job.part);
  return job.running
    ? `the ${job.part} job ran longer than maxRuntime (${durationText(maxRuntime)})`
    : `the ${job.part} job did not start within maxWait (${durationText(maxWait)})`;
}

/** The start of the job, or a look at it, when it is time. */
export function jobOwes(run: WithJob, now: number, context: RunContext): readonly Effect[] {
  const { job } = run;
  const key = `run/${jobKey(run)}`;
  if (job.id !== undefined)
    return now >= job.lookAt ? [{ key: `${key}/describe`, kind: 'describeJob', id: job.id }] : [];
  return now >= job.notBefore ? [{ key: `${key}/start`, kind: 'startJob', job: jobOf(run, context) }] : [];
}

export const jobKey = ({ id, job }: WithJob): string => `${id}/${job.part}/${job.attempt}`;

function jobOf(run: WithJob, context: RunContext): Job {
  const { plan } = run;
  const { part } = run.job;
  const { kind, outputs, program: planned } = stepPlan(part);
  const { channels, program, job } = steps[part];
  const compute = computeOf(plan, part);
  return {
    key: jobKey(run),
    kind,
    outputs,
    project: plan.project,
    model: context.model,
    maxRuntimeMs: compute.maxRuntime,
    maxWaitMs: compute.maxWait,
    compute: { nodes: compute.nodes, spot: compute.spot, ...defined({ accelerator: compute.accelerator }) },
    hyperparameters: {},
    metrics: [],
    ...programOf(program?.(run, context) ?? planned(plan)),
    channels: channels(run, context),
    ...job?.(run, context),
  };
}

function programOf(program: Program | undefined): Program {
  if (program === undefined) return { command: [], environment: {} };
  const { code, image, command, environment } = program;
  return { command, environment, ...defined({ code, image }) };
}

/** A plan whose step is gone keeps the trainer's bounds. */
const computeOf = (plan: ModelPlan, part: StepName): JobCompute =>
  stepPlan(part).program(plan)?.compute ?? plan.train.compute;

function noteRunning(run: Working, at: number): JobTrack {
  const job = noteLook(run.job, at);
  // Grace beyond the provider's own bound: it should end the job itself, with a better reason than ours.
  return job.running
    ? job
    : { ...job, running: true, deadline: at + computeOf(run.plan, job.part).maxRuntime + 5 * minute };
}

// A step's own status and its job belong together; the union of all such pairs is not expressible without a cast.
const withStatus = (run: Base, status: string, job: JobTrack): Working => ({ ...bare(run), status, job }) as Working;
