import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { templatesFolder } from './places.ts';

interface Template {
  readonly framework: string;
  /** What a person reads who chooses. */
  readonly about: string;
  readonly hyperparameters: string;
}

/** Projects in Python that `init` writes: what they have in common lies in `templates/python`. */
export const templates: Readonly<Record<string, Template>> = {
  sklearn: {
    framework: 'scikit-learn',
    about: 'gradient boosting: a good start for tables',
    hyperparameters: 'learning-rate: 0.05, max-iter: 100, max-depth: 3',
  },
  xgboost: { framework: 'XGBoost', about: 'boosted trees', hyperparameters: 'eta: 0.1, max-depth: 3, rounds: 30' },
  pytorch: {
    framework: 'PyTorch',
    about: 'a small network (some 4 GB to install on Linux)',
    hyperparameters: 'learning-rate: 0.02, epochs: 200, hidden: 16',
  },
  onnx: {
    framework: 'ONNX',
    about: 'trained by scikit-learn, served by ONNX Runtime',
    hyperparameters: 'penalty: 1.0, max-iter: 200',
  },
};

const servedRows = `
| how requests are taken | \`src/serve.py\` |
| what is watched of requests and answers | \`monitor\` in \`serin.config.yaml\`: take the comment in |`;

export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a project in Python. */
export async function templateFiles(name: string, project: string, serves: boolean): Promise<readonly ProjectFile[]> {
  const template = templates[name];
  if (template === undefined) throw new Error(`there is no template ${name}; add it to templates.ts`);
  const { framework, hyperparameters } = template;
  const servePage = await readFile(join(templatesFolder, 'python', 'serve.md'), 'utf8');
  const filled: Readonly<Record<string, string>> = {
    __PROJECT__: project,
    __FRAMEWORK__: framework,
    __HYPERPARAMETERS__: hyperparameters,
    __AND_SERVED__: serves ? ' and served' : '',
    __SERVE__: serves ? `\n${servePage.trimEnd()}` : '',
    __SERVE_ROW__: serves ? servedRows : '',
  };
  const files = [...(await filesIn('python')), ...(await filesIn(name))].filter(
    ({ path }) => path !== 'serve.md' && (serves || path !== 'src/serve.py'),
  );
  return files.map(({ path, text }) => ({
    path,
    text: filledIn(path === 'serin.config.yaml' && !serves ? unserved(text) : text, filled),
  }));
}

/** A template with its blanks, such as `__NAME__`, filled in. */
export const filledIn = (text: string, filled: Readonly<Record<string, string>>): string =>
  text.replace(/__[A-Z_]+__/g, (token) => filled[token] ?? token);

/** What a config says of serving stands last in it. */
const unserved = (config: string): string => config.replace(/^ {4}serve:[\s\S]*$/m, '    serve: none\n');

/** npm leaves a file of the name .gitignore out of a package. */
const dotted = (path: string): string => path.replace(/(^|\/)(gitignore|serinignore)$/, '$1.$2');

/** The files of a folder of templates. */
export async function filesIn(name: string): Promise<readonly ProjectFile[]> {
  const folder = join(templatesFolder, name);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/__pycache__|\.pyc$/.test(join(entry.parentPath, entry.name)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path: dotted(path), text: await readFile(join(folder, path), 'utf8') })),
  );
}
