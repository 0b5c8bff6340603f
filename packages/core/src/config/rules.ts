import type * as z from 'zod';
import { nextCron } from '../base/cron.ts';
import { placeholdersIn } from '../base/placeholders.ts';
import { answersName } from '../drift/answers.ts';
import { calibrationMetric } from '../drift/estimate.ts';
import { labelsKeptMs } from '../guardrails/labels.ts';
import { ownBucket } from '../ports/bucket.ts';
import { notifyProblems } from './notify.ts';
import { maturityOf } from './performance.ts';
import type { ParsedConfig, ParsedModel } from './schema.ts';

/**
 * What must hold between the fields of a config, whoever sends it.
 *
 * A rule is checked also when other fields have problems, so that all problems are reported at once. Then anything may
 * be missing or of a wrong type. A rule that cannot be judged holds.
 */
interface Rule {
  /** Where the problem is reported, from the model on. */
  readonly path: readonly string[];
  readonly holds: (model: Seen<ParsedModel>) => boolean;
  readonly because: string;
}

/** The part of a value that is there, if the value may have problems. */
type Seen<Value> = Value extends object ? { readonly [Key in keyof Value]?: Seen<Value[Key]> | undefined } : Value;

export const modelRules: readonly Rule[] = [
  {
    path: ['gate'],
    holds: ({ gate, approval }) => gate !== undefined || approval !== undefined,
    because: 'give a gate or an approval: one of them has to pass a model',
  },
  {
    path: ['split'],
    holds: ({ gate, split }) => gate === undefined || split !== undefined,
    because: 'a gate needs a split: add one, so that a model is not judged on the data it was trained on',
  },
  {
    path: ['evaluate'],
    holds: ({ gate, evaluate }) => gate === undefined || evaluate !== undefined,
    because: 'a gate needs an evaluate command: add one that writes metrics.json',
  },
  {
    path: ['data', 'bucket'],
    holds: ({ data }) => data?.bucket !== ownBucket,
    because: `the pipeline itself writes to '${ownBucket}' and would trigger itself forever: use another bucket`,
  },
  {
    path: ['data', 'settle'],
    holds: ({ data }) => data?.settle?.marker === undefined || data.settle.manifest === undefined,
    because: 'use either marker or manifest, not both',
  },
  {
    path: ['validate', 'columns'],
    holds: ({ validate }) => Object.values(validate?.columns ?? {}).every((rule) => inOrder(rule?.min, rule?.max)),
    because: 'the min of a column is larger than its max: lower min or raise max',
  },
  {
    path: ['validate', 'label'],
    holds: ({ validate }) => validate?.label !== undefined || !asks(validate?.checks, /^label/),
    because: 'a check of the label needs to know which column that is: give its name',
  },
  {
    path: ['validate', 'checks', 'leakage'],
    holds: ({ validate, split }) => !asks(validate?.checks, /^leakage/) || isByManifest(split),
    because: 'only a split by manifest has both parts before the run: use one, or leave the check out',
  },
  ...(['key', 'time'] as const).map(
    (field): Rule => ({
      path: ['validate', field],
      holds: ({ validate, split }) => validate?.[field] === undefined || isByManifest(split),
      because:
        'it compares training with the hold-out, which only a split by manifest has before the run: use one, or leave it out',
    }),
  ),
  {
    path: ['train', 'compute', 'spot'],
    holds: ({ train }) => train?.compute?.spot !== true || train.checkpoints === true,
    because: 'spot needs checkpoints: set checkpoints: true, or each interruption starts from the beginning',
  },
  {
    path: ['train', 'command'],
    holds: ({ train }) => fills(train?.command, ['train', ...Object.keys(train?.hyperparameters ?? {})], ['model']),
    because: unfilled("the channel 'train', its hyperparameters and the output 'model'"),
  },
  {
    path: ['evaluate', 'command'],
    holds: ({ evaluate }) => fills(evaluate?.command, ['model', 'holdout'], []),
    because: unfilled("the channels 'model' and 'holdout'"),
  },
  {
    path: ['split'],
    // The author's form has the job in `prepare`; the compiled one is the job.
    holds: ({ split }) => fills(Object(Object(split).prepare ?? split).command, ['data'], ['train', 'holdout']),
    because: unfilled("the channel 'data' and the outputs 'train' and 'holdout'"),
  },
  {
    path: ['serve', 'compute', 'instances'],
    holds: ({ serve }) => inOrder(served(serve)?.compute?.instances?.min, served(serve)?.compute?.instances?.max),
    because: 'min is larger than max: lower min or raise max',
  },
  {
    path: ['rollout', 'bake'],
    holds: ({ rollout }) => inOrder(rollout?.tick, rollout?.bake),
    because: 'bake is shorter than one tick, but requests are counted once per tick: use at least one tick',
  },
  {
    path: ['rollout', 'warmUp'],
    holds: ({ rollout }) => warmsUpInTime(rollout),
    because:
      'the warm-up fills the whole bake, so slow requests are not judged before the next step, and the last step may have no time for a certificate: lower warmUp, raise bake, or set guardrails.latency: false',
  },
  {
    path: ['rollout', 'guardrails'],
    holds: ({ rollout }) => alphaLeft(Object.values(rollout?.guardrails ?? {})),
    because:
      'lower the alphaShares: together they are at most 1, and less than 1 when a guardrail has no share of its own',
  },
  {
    path: ['rollout', 'guardrails', 'labels'],
    holds: ({ rollout }) => rollout?.strategy !== 'ab' || rollout.guardrails?.labels !== undefined,
    because: 'strategy ab is decided by labels: add guardrails.labels',
  },
  {
    path: ['rollout', 'guardrails', 'labels'],
    holds: ({ rollout, serve }) => rollout?.guardrails?.labels === undefined || served(serve)?.stickyBy === undefined,
    because:
      'labels belong to single requests, but with stickyBy a user stays with one model: leave out labels or stickyBy',
  },
  {
    path: ['rollout', 'guardrails', 'labels', 'kind'],
    holds: ({ rollout }) => rollout?.guardrails?.labels?.kind !== 'loss' || rollout.routing !== 'realised',
    because: 'labels of the kind loss need a random choice for each request: set routing: configured',
  },
  {
    path: ['rollout', 'guardrails', 'labels', 'missing'],
    holds: ({ rollout }) =>
      rollout?.guardrails?.labels?.kind !== 'loss' || rollout.guardrails.labels.missing !== 'worst',
    because: "a missing loss has no worst value: leave out missing: 'worst', or use another kind of label",
  },
  {
    path: ['monitor', 'capture'],
    holds: ({ monitor, serve }) => monitor?.capture === undefined || served(serve) !== undefined,
    because: "there are no requests to capture with serve: 'none': give serve, or leave out monitor.capture",
  },
  {
    path: ['monitor', 'capture', 'id'],
    holds: ({ monitor }) => {
      const { id, fields = [] } = monitor?.capture ?? {};
      return id === undefined || fields.includes(id);
    },
    because: 'a request is named by a field that is captured: list it in monitor.capture.fields',
  },
  {
    path: ['monitor', 'drift'],
    holds: ({ monitor }) => monitor?.drift === undefined || monitor.capture !== undefined,
    because: 'drift is judged on captured requests: give monitor.capture with a share and the fields that may be kept',
  },
  {
    path: ['monitor', 'capture', 'fields'],
    holds: ({ monitor }) => monitor?.capture?.fields?.includes(answersName) !== true,
    because: `'${answersName}' is the name of the model's answers, not of a feature: leave it out, they are captured in any case`,
  },
  {
    path: ['monitor', 'drift', 'notice'],
    holds: ({ monitor }) => inOrder(monitor?.drift?.notice, monitor?.drift?.major),
    because: 'must not be more than major: lower it',
  },
  {
    path: ['monitor', 'estimate'],
    holds: ({ monitor }) =>
      monitor?.estimate === undefined || (monitor.capture !== undefined && monitor.drift !== undefined),
    because:
      'probabilities are added up of captured answers, while drift is judged: give monitor.capture and monitor.drift',
  },
  {
    path: ['monitor', 'estimate'],
    holds: ({ monitor, evaluate }) => monitor?.estimate === undefined || evaluate !== undefined,
    because: `nothing is estimated of a model that is not known to be calibrated: give evaluate, and let its job report ${calibrationMetric}`,
  },
  {
    path: ['monitor', 'performance'],
    holds: ({ monitor, serve }) => monitor?.performance === undefined || served(serve) !== undefined,
    because: "there are no predictions to label with serve: 'none': give serve, or leave out monitor.performance",
  },
  {
    path: ['monitor', 'performance', 'window'],
    holds: ({ monitor, rollout }) => isMultiple(monitor?.performance?.window, rollout?.tick),
    because: 'labels are read once per tick: use a multiple of rollout.tick',
  },
  {
    path: ['monitor', 'performance', 'maturity'],
    holds: ({ monitor, rollout }) => {
      if (monitor?.performance === undefined || rollout?.guardrails === undefined) return true;
      const { window = 0, maturity } = monitor.performance;
      const matures = maturityOf({
        monitor: { performance: { maturity } },
        rollout: rollout as ParsedModel['rollout'],
      });
      return !(window + matures > labelsKeptMs);
    },
    because: 'requests are kept for 35d: use less than that, together with window',
  },
  {
    path: ['monitor', 'performance', 'prediction'],
    holds: ({ monitor, rollout }) => {
      const both = [monitor?.performance?.prediction, rollout?.guardrails?.labels?.prediction];
      return both.includes(undefined) || both[0] === both[1];
    },
    because: 'must be that of rollout.guardrails.labels: an answer has one prediction',
  },
  {
    path: ['monitor', 'performance', 'positive'],
    holds: ({ monitor }) => monitor?.performance?.positive === undefined || monitor.performance.scale === undefined,
    because: 'is for classes, and scale is for numbers: leave out one of them',
  },
  {
    path: ['monitor', 'performance', 'positive'],
    holds: ({ monitor, rollout }) =>
      monitor?.performance?.positive === undefined || rollout?.guardrails?.labels?.kind !== 'loss',
    because:
      "labels of rollout.guardrails.labels are losses, which say no class: leave out positive, or set kind: 'wrong' there",
  },
  {
    path: ['monitor', 'performance', 'scale'],
    holds: ({ monitor, rollout }) => {
      const [performance, labels] = [monitor?.performance, rollout?.guardrails?.labels];
      return performance === undefined || labels === undefined || performance.scale === labels.scale;
    },
    because:
      "must be that of rollout.guardrails.labels, as a truth is a number for both or for none: give both the same one, and kind: 'loss' there",
  },
];

function unfilled(known: string): string {
  return `a placeholder in the command names what the job does not have: it has ${known}`;
}

/** Every placeholder of a command names something. A value that is not a command has no placeholders. */
const fills = (command: unknown, inputs: readonly string[], outputs: readonly string[]): boolean =>
  !Array.isArray(command) ||
  placeholdersIn(command.map(String)).every(({ kind, name }) =>
    ({ inputs, outputs, short: [...inputs, ...outputs] })[kind].includes(name),
  );

/** The author's split has its folders in `holdout`; the compiled one has them itself. */
const isByManifest = (split: unknown): boolean =>
  [split, Object(split).holdout].some((rule) => typeof Object(rule).train === 'string');

/** A check is on, by name; what is off asks for nothing. */
const asks = (checks: unknown, named: RegExp): boolean =>
  Object.entries(Object(checks)).some(([name, action]) => named.test(name) && action !== 'off');

const served = (serve: Seen<ParsedModel>['serve']) => (typeof serve === 'object' ? serve : undefined);

const inOrder = (less: unknown, more: unknown): boolean =>
  typeof less !== 'number' || typeof more !== 'number' || less <= more;

const isMultiple = (whole: unknown, part: unknown): boolean =>
  typeof whole !== 'number' || typeof part !== 'number' || whole % part === 0;

/** Where latency is judged step by step, a bake has ticks that are not warm-up. */
function warmsUpInTime(rollout: Seen<ParsedModel>['rollout']): boolean {
  const { warmUp, tick, bake, strategy, guardrails } = rollout ?? {};
  if (guardrails?.latency === false || strategy === 'allAtOnce') return true;
  if (typeof warmUp !== 'number' || typeof tick !== 'number' || typeof bake !== 'number') return true;
  return warmUp * tick < bake;
}

/** Every guardrail that may roll back needs a part of alpha. */
function alphaLeft(guardrails: readonly unknown[]): boolean {
  const live = guardrails.flatMap((rule) => {
    const { alphaShare, dryRun } = Object(rule) as { readonly alphaShare?: unknown; readonly dryRun?: unknown };
    return dryRun === false ? [typeof alphaShare === 'number' ? alphaShare : undefined] : [];
  });
  const given = live.reduce<number>((sum, part) => sum + (part ?? 0), 0);
  return live.includes(undefined) ? given < 1 : given <= 1 + 1e-9;
}

/** The schema with every rule of a model on it. */
export function withRules<Schema extends z.ZodType>(schema: Schema): Schema {
  return modelRules.reduce<Schema>(
    (checked, { path, holds, because }) =>
      checked.refine((model) => holds(model as Seen<ParsedModel>), {
        path: [...path],
        error: because,
        when: ({ value }) => typeof value === 'object' && value !== null,
      }),
    schema,
  );
}

/** What must hold between the parts of one project; each with the field that is reported. */
export function projectProblems({
  project,
  models,
  notify = [],
}: {
  readonly project: string;
  readonly models: Readonly<Record<string, ParsedModel & { readonly project?: string }>>;
  readonly notify?: ParsedConfig['notify'];
}): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const ofModels = Object.entries(models).flatMap(([name, model]) => [
    ...labelProblems(name, model, models),
    ...(model.project === undefined || model.project === project
      ? []
      : [
          { path: [name, 'project'], message: `must be '${project}', the project of this config: correct one of them` },
        ]),
  ]);
  return [
    ...ofModels.map(({ path, message }) => ({ path: ['models', ...path], message })),
    ...notifyProblems(notify, Object.keys(models)),
  ];
}

/** Labels that lie where any model takes its data from would be trained on, and would start runs. */
function labelProblems(name: string, { labels }: ParsedModel, models: Readonly<Record<string, ParsedModel>>) {
  if (labels === undefined) return [];
  const path = [name, 'labels', 'prefix'];
  if (labels.bucket === ownBucket)
    return [{ path, message: `the pipeline itself writes to '${ownBucket}': use another bucket` }];
  return Object.entries(models)
    .filter(([, { data }]) => data.bucket === labels.bucket && overlap(data.prefix, labels.prefix))
    .map(([other, { data }]) => ({
      path,
      message: `'${labels.prefix}' and the data of ${other} under '${data.prefix}' overlap, so a file of labels would start a run: use separate prefixes`,
    }));
}

const overlap = (one: string, other: string): boolean => one.startsWith(other) || other.startsWith(one);

/** Why a pattern cannot be looked for in a log. */
export function regexProblem(regex: string): string | undefined {
  try {
    new RegExp(regex, 'gm');
    return undefined;
  } catch (error) {
    return `must be a regular expression of JavaScript: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why a schedule never fires, or cannot be read. */
export function cronProblem(cron: string, zone: string): string | undefined {
  try {
    nextCron(cron, zone, 0);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
