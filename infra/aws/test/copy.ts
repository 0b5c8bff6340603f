import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const repository = join(import.meta.dirname, '../../..');

const folders: string[] = [];

/** An empty folder; `forgetFolders` removes it. */
export function folder(name: string): string {
  const made = mkdtempSync(join(tmpdir(), `serin-${name}-`));
  folders.push(made);
  return made;
}

export function forgetFolders(): void {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
}

/** A copy of the repository, as far as a deployment reads it; what is built goes into the copy. */
export function copyOfRepository(root = folder('copy')): string {
  mkdirSync(join(root, 'infra'), { recursive: true });
  for (const path of ['scripts', 'infra/aws', 'infra/gcp', 'infra/azure', 'infra/shared', 'infra/bundle.ts'])
    symlinkSync(join(repository, path), join(root, path));
  copyFileSync(join(repository, 'sst.config.ts'), join(root, 'sst.config.ts'));
  return root;
}
