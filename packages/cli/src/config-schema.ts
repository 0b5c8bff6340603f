import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configJsonSchema } from './config-json-schema.ts';

/** Where an editor finds the schema, from the config's folder: the server's folder, which no repository keeps. */
const schemaFile = './.serin/schema.json';

/** Writes the schema of this version for the editors that a config sends there; for any other it does nothing. */
export async function writeSchema(config: string): Promise<void> {
  if (!(await readFile(config, 'utf8').catch(() => '')).includes(schemaFile)) return;
  const file = join(dirname(config), schemaFile);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${JSON.stringify(configJsonSchema())}\n`);
}
