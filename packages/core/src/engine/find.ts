import type { Journal } from '../ports/journal.ts';

/** What the journal's row of a model says, as far as models are looked for by it. */
export interface ModelRow {
  readonly model: string;
  /** Of its newest entry. */
  readonly at: number;
  /** The job that its run waits for. */
  readonly job?: string;
  readonly run?: { readonly id: string };
  readonly rollout?: { readonly id: string };
}

/** The rows of all models, or those of the first pages. */
export async function allModels(
  journal: Pick<Journal, 'names'>,
  pages = Number.POSITIVE_INFINITY,
): Promise<readonly ModelRow[]> {
  const rows: ModelRow[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    const { items, next } = await journal.names('model/', cursor);
    rows.push(...items.map(({ summary }) => summary as unknown as ModelRow)); // the engine writes each
    if (next === undefined) break;
    cursor = next;
  }
  return rows;
}

/** The model whose run, rollout or job this is, while it is under way. */
export async function findModel(
  journal: Pick<Journal, 'names'>,
  of: { readonly [Kind in 'run' | 'rollout' | 'job']?: string },
  pages?: number,
): Promise<string | undefined> {
  const rows = await allModels(journal, pages);
  return rows.find(
    ({ run, rollout, job }) =>
      (of.run !== undefined && run?.id === of.run) ||
      (of.rollout !== undefined && rollout?.id === of.rollout) ||
      (of.job !== undefined && job === of.job),
  )?.model;
}
