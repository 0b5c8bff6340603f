import { readFile } from 'node:fs/promises';
import type { CodeFolder } from './code.ts';

/** A longer file is data. */
const maxBytes = 1_000_000;

// The packages of azureml-sdk. Others of the same name space are not of it: azureml.mlflow, azureml.fsspec.
const packages =
  'automl|contrib|core|data|datadrift|dataprep|exceptions|explain|history|interpret|pipeline|telemetry|train|widgets';
const imported = new RegExp(
  `^[ \\t]*(?:from[ \\t]+|import[ \\t]+(?:[\\w.]+(?:[ \\t]+as[ \\t]+\\w+)?[ \\t]*,[ \\t]*)*)(azureml\\.(?:${packages}))\\b`,
  'm',
);

/** The package of Azure ML's SDK v1 that a script in Python imports. */
export const retiredImport = (text: string): string | undefined => imported.exec(text)?.[1];

/**
 * Scripts that stand on Azure ML's SDK v1, whose support ended.
 *
 * https://learn.microsoft.com/azure/machine-learning/how-to-setup-authentication?view=azureml-api-1
 */
export async function retiredSdk(folders: ReadonlyMap<string, CodeFolder>): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const [name, { files }] of folders)
    for (const { path, source, bytes } of files.filter(({ path, bytes }) => path.endsWith('.py') && bytes < maxBytes)) {
      const found = bytes === 0 ? undefined : retiredImport(await readFile(source, 'utf8'));
      if (found !== undefined)
        warnings.push(
          `${path} of the code ${name} imports ${found} of Azure ML's SDK v1, whose support ended on 2026-06-30: log with mlflow, find data and folders by the variables of the job, and call Azure ML with azure-ai-ml`,
        );
    }
  return warnings;
}
