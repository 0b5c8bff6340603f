import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { type Configs, type Plan, variantsOf } from './configs.ts';
import { type Attempt, type Hosted, lostVariants } from './hosted.ts';
import { deleteModel } from './models.ts';

/** So that an operation does not wait long for what is only tidy. */
const atOnce = 5;

/**
 * Deletes configs of an endpoint that are neither served nor remembered as taken back, and the models that only they
 * had. At most five at a time; the others go with the next operation. Not while a change is under way.
 */
export async function sweep(
  { sagemaker, configs }: { readonly sagemaker: SageMakerClient; readonly configs: Configs },
  hosted: Hosted,
  attempt: Attempt | undefined,
): Promise<void> {
  const all = await configs.newest(hosted.name);
  const current = all.indexOf(hosted.config);
  const older = current < 0 ? [] : all.slice(current + 1).slice(0, atOnce);
  if (older.length === 0) return;
  const kept = new Set([...modelsOf(await configs.plan(hosted.config)), ...modelsOf(attempt?.plan)]);
  for (const name of older) {
    const plan = await configs.plan(name);
    // Models first: of a config that is gone nobody knows them.
    for (const model of modelsOf(plan)) if (!kept.has(model)) await deleteModel(sagemaker, model);
    await configs.remove(name);
  }
}

/** Forgets a change that was taken back: its config, and the models that only it had. */
export async function forget(
  { sagemaker, configs }: { readonly sagemaker: SageMakerClient; readonly configs: Configs },
  hosted: Hosted,
  attempt: Attempt,
): Promise<void> {
  for (const { ModelName } of lostVariants(hosted, attempt))
    if (ModelName !== undefined) await deleteModel(sagemaker, ModelName);
  await configs.remove(attempt.config);
}

const modelsOf = (plan: Plan | undefined): readonly string[] =>
  (plan === undefined ? [] : variantsOf(plan)).flatMap(({ ModelName }) => ModelName ?? []);
