import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MonitorConstraints } from '@serin/clouds/aws/model-monitor';
import { Fault } from '@serin/core/base/fault';
import { type Constraints, constraintsText } from '@serin/core/drift/constraints';
import type { DatasetProfile } from '@serin/core/drift/profile';
import { Failure } from '../failure.ts';
import { argument, type Command, clientOf, type Invocation, path, show, textOption } from '../invocation.ts';

/** What `--format` takes: a part of the config, or one of the three files of SageMaker Model Monitor. */
const formats = ['config', 'sagemaker', 'statistics', 'violations'] as const;

/** What the data of a model suggests to promise; or what a file of Model Monitor promises, and what of it the data breaks. */
export const constraints: Command = async (invocation) => {
  const given = textOption(invocation, 'format') ?? 'config';
  const format = formats.find((known) => known === given);
  if (format === undefined) throw new Failure(2, `--format is '${given}'; give ${formats.join(', ')}`);
  const model = argument(invocation, 0);
  const file = await readFrom(invocation);
  if (model === '') {
    if (file === undefined || format !== 'config')
      throw new Failure(2, 'which model is not said; name one, or give --from constraints.json for its rules');
    return showRules(invocation, file);
  }
  if (format === 'config' && file !== undefined)
    throw new Failure(2, '--from and a model suggest two configs; leave one out, or give --format violations');
  return format === 'config' ? showSuggested(invocation, model) : showFile(invocation, model, format, file);
};

async function readFrom(invocation: Invocation): Promise<MonitorConstraints | undefined> {
  const file = textOption(invocation, 'from');
  if (file === undefined) return undefined;
  const { readConstraints } = await import('@serin/clouds/aws/model-monitor');
  const text = await readFile(resolve(invocation.cwd, file), 'utf8').catch((cause: Error) => {
    throw new Failure(2, `${file} cannot be read; name a constraints.json of Model Monitor`, {
      why: cause.message,
      cause,
    });
  });
  try {
    return readConstraints(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Failure(2, `${file} is not a file of constraints`, {
      why: error.message,
      mend: 'correct it, or give the constraints.json that a baseline of Model Monitor wrote',
      cause: error,
    });
  }
}

async function showRules(invocation: Invocation, file: MonitorConstraints): Promise<number> {
  const { rulesOf } = await import('@serin/clouds/aws/model-monitor');
  const { columns, left } = rulesOf(file);
  show(invocation, { columns, left }, () => constraintsText(columns));
  for (const one of left) invocation.terminal.say(`not in the config: ${one}\n`);
  return 0;
}

async function showSuggested(invocation: Invocation, model: string): Promise<number> {
  const client = await clientOf(invocation);
  const document = await client.get(path`/v1/models/${model}/constraints`);
  show(invocation, document, () => constraintsText(Object(document.columns) as Constraints));
  return 0;
}

async function showFile(
  invocation: Invocation,
  model: string,
  format: Exclude<(typeof formats)[number], 'config'>,
  file: MonitorConstraints | undefined,
): Promise<number> {
  const [baseline, { violationsOf }, { monitorText }] = await Promise.all([
    import('@serin/clouds/aws/model-monitor-baseline'),
    import('@serin/clouds/aws/model-monitor-violations'),
    import('@serin/clouds/aws/model-monitor'),
  ]);
  if (format === 'violations' && file === undefined)
    throw new Failure(2, 'which constraints are not said; give --from constraints.json');
  const client = await clientOf(invocation);
  const { dataset } = await client.get(path`/v1/models/${model}/constraints`);
  const found = await client.get(path`/v1/models/${model}/datasets/${String(dataset)}/profile`);
  const profile = found as unknown as DatasetProfile; // as the API documents it
  const content =
    format === 'statistics'
      ? baseline.statisticsOf(profile)
      : format === 'violations' && file !== undefined
        ? violationsOf(file, { profile })
        : baseline.constraintsOf(profile, file);
  show(invocation, content, () => monitorText(content));
  return 0;
}
