import { existsSync, fstatSync, readFileSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { Failure } from './failure.ts';
import { type IgnoreRules, ignoreRules, isIgnoredBy } from './ignore-rules.ts';

export interface FoundFile {
  /** With `/`, relative to the folder. */
  readonly path: string;
  readonly bytes: number;
  readonly executable: boolean;
  readonly source: string;
}

/** What is in a code folder, and what lies in it and is not part of it. */
export interface Walked {
  readonly files: readonly FoundFile[];
  /** The folder itself, and those below it. */
  readonly folders: readonly string[];
  /** Folders that hold only data, with their files: data comes through the bucket. */
  readonly dataFolders: readonly { readonly path: string; readonly files: number }[];
  readonly ignored: number;
  /** Why the folder cannot be released. */
  readonly refused?: Failure;
}

const maxFiles = 10_000;

/** Never looked at, and no rule brings it back. */
const never = new Set(['.git', 'node_modules', '.serin']);
/** What running code leaves, environments, secrets, logs, and the config, which is released by itself. */
const usual = `__pycache__/
*.pyc
.venv/
.ipynb_checkpoints/
.pytest_cache/
.mypy_cache/
.ruff_cache/
.DS_Store
.env
.env.*
!.env.example
*.log
.gitignore
.serinignore
serin.config.*
`;

const isData = (name: string): boolean =>
  /\.(?:csv|tsv|ndjson|jsonl|parquet|arrow|feather|npy|npz|h5|hdf5)(?:\.(?:gz|zst|bz2|xz))?$/i.test(name);
const mayHoldData = (path: string): boolean => /^(?:data|datasets?)$/i.test(path);

/**
 * Reads a code folder, without what git ignores and what `usual` (above) names. `.serinignore` has the last word, and may
 * bring something back with `!`.
 */
export async function walkCode(root: string): Promise<Walked> {
  const found: Found = { files: [], folders: [], dataFolders: [], ignored: 0 };
  const own = [ignoreRules(root, usual)];
  const walk = async (folder: string, above: Rules): Promise<void> => {
    found.folders.push(folder);
    const git = [...above.git, ...rulesIn(folder, '.gitignore')];
    const serin = [...above.serin, ...rulesIn(folder, '.serinignore')];
    for (const entry of await entriesOf(folder, root)) {
      const source = join(folder, entry.name);
      const path = relative(root, source).replaceAll('\\', '/');
      const isFolder = entry.isDirectory();
      const asked = isIgnoredBy(serin, source, isFolder);
      const leftOut = asked ?? (isIgnoredBy([...git, ...own], source, isFolder) || isEnvironment(source, isFolder));
      const files = isFolder && asked === undefined && mayHoldData(path) ? await dataIn(source) : undefined;
      if (never.has(entry.name) || leftOut || isOwnOutput(source)) found.ignored += 1;
      else if (files !== undefined) found.dataFolders.push({ path, files });
      else if (isFolder) await walk(source, { git, serin });
      else if (entry.isFile()) found.files.push(await fileAt(source, path));
      else found.refused ??= notAFile(path, root, entry.isSymbolicLink());
      if (found.files.length > maxFiles) throw tooMany(root);
    }
  };
  await walk(root, { git: gitRulesAbove(root), serin: [] });
  return found;
}

interface Found {
  readonly files: FoundFile[];
  readonly folders: string[];
  readonly dataFolders: { readonly path: string; readonly files: number }[];
  ignored: number;
  refused?: Failure;
}
interface Rules {
  readonly git: readonly IgnoreRules[];
  readonly serin: readonly IgnoreRules[];
}

async function entriesOf(folder: string, root: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(2, `cannot read the code folder ${root}`, {
      why: error.message,
      mend: "correct 'code' in the config: it is a folder beside the config",
      cause: error,
    });
  });
}

function rulesIn(folder: string, name: string): readonly IgnoreRules[] {
  const file = join(folder, name);
  return existsSync(file) ? [ignoreRules(folder, readFileSync(file, 'utf8'))] : [];
}

/** Of the repository that the folder lies in, the outermost first. */
function gitRulesAbove(root: string): readonly IgnoreRules[] {
  const above: IgnoreRules[] = [];
  for (let folder = root; ; folder = dirname(folder)) {
    if (folder !== root) above.unshift(...rulesIn(folder, '.gitignore'));
    if (existsSync(join(folder, '.git'))) return above;
    if (folder === dirname(folder)) return [];
  }
}

/** A virtual environment of Python, whatever its name. */
const isEnvironment = (path: string, isFolder: boolean): boolean => isFolder && existsSync(join(path, 'pyvenv.cfg'));

/** The file that this very command writes to, as in `serin dev > out.txt`: it changes with each release. */
export function isOwnOutput(file: string): boolean {
  const here = statSync(file, { throwIfNoEntry: false });
  return [1, 2].some((descriptor) => {
    const { dev, ino } = statOf(descriptor) ?? {};
    return here?.isFile() === true && here.ino === ino && here.dev === dev;
  });
}

function statOf(descriptor: number) {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined; // it is closed
  }
}

/** How many files a folder holds, if all of them are data. */
async function dataIn(folder: string): Promise<number | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.length > 0 && files.every(({ name }) => isData(name)) ? files.length : undefined;
}

export async function fileAt(source: string, path = basename(source)): Promise<FoundFile> {
  const { size, mode } = await lstat(source);
  return { path, bytes: size, executable: (mode & 0o111) !== 0, source };
}

function notAFile(path: string, root: string, isLink: boolean): Failure {
  return new Failure(2, `${path} in the code folder ${root} is ${isLink ? 'a symbolic link' : 'not a regular file'}`, {
    why: 'a job on another machine would not find what it points to',
    mend: 'put the file itself there, or name it in .serinignore',
  });
}

const tooMany = (root: string): Failure =>
  new Failure(2, `the code folder ${root} has more than ${maxFiles} files`, {
    mend: "name a smaller folder as 'code', or list in .serinignore what is not code; put data into the bucket",
  });

/** Judged by the name: what is not part of a release, so a change of it starts nothing. */
export const isIgnoredName = (name: string): boolean =>
  never.has(name) || isIgnoredBy([ignoreRules('', usual)], `/${name}`, extname(name) === '') === true;
