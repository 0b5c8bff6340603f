// The functions of a cloud as they are deployed: each entry point alone, minified, into <folder>/<name>/index.cjs.
// `node scripts/bundle.ts <cloud> <folder>`
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { type FunctionApp, functionApps, hostOf } from '../packages/clouds/src/azure/function-apps.ts';
import { builtPage } from '../packages/page/build/build.ts';

export const entryPoints = ['signals', 'api', 'clock', 'deadLetters'] as const;

export interface Bundle {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

/**
 * The SDK's schemas of all operations of a service stand in one file, with keys such as `{[_h]: ...}`. A computed key may
 * have a side effect, so esbuild keeps them all; with the key's text in its place it drops what no command uses.
 */
const shakeableSchemas: Plugin = {
  name: 'shakeable schemas',
  setup({ onLoad }) {
    onLoad({ filter: /dist-es[/\\]schemas[/\\]schemas_0\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const texts = new Map(
        [...text.matchAll(/^const (_\w+) = ("[^"\n]*");$/gm)].map(([, name, value]) => [name, value]),
      );
      return {
        contents: text.replace(/\[(_\w+)\]:/g, (whole, name) => (texts.has(name) ? `${texts.get(name)}:` : whole)),
      };
    });
  },
};

interface Cloud {
  /** The folder in which `functions.ts` stands. */
  readonly source: string;
  /** The code of an entry point: how the cloud finds its function. */
  entryOf(name: string): string;
  /** What we leave out of the cloud's own packages. */
  readonly cuts: BuildOptions;
  /** Files of JSON beside a bundle, by their names. */
  beside(name: string): Readonly<Record<string, object>>;
}

const sourceOf = (cloud: string): string => fileURLToPath(new URL(`../functions/${cloud}/src`, import.meta.url));

export const clouds = {
  aws: {
    source: sourceOf('aws'),
    entryOf: (name) => `export { ${name} as handler } from './functions.ts';`,
    cuts: {
      alias: { '@aws-sdk/credential-provider-node': join(sourceOf('aws'), 'calls', 'credentials.ts') },
      plugins: [shakeableSchemas],
    },
    beside: () => ({}),
  },
  gcp: {
    source: sourceOf('gcp'),
    // The buildpack brings the framework, which calls the export that is named as the function's target.
    entryOf: (name) => `export { ${name} } from './functions.ts';`,
    cuts: {},
    // Without it the framework asks for an index.js, which a package.json further up may say is a module.
    // https://github.com/GoogleCloudPlatform/buildpacks/blob/main/cmd/nodejs/functions_framework/main.go
    beside: (name) => ({ 'package.json': manifestOf(name) }),
  },
  azure: {
    source: sourceOf('azure'),
    // The host loads what the manifest names, and takes what registers itself meanwhile.
    entryOf: (name) => `import { ${name} } from './functions.ts'; ${name}();`,
    // The host's own module, which it gives to whoever requires it.
    cuts: { external: ['@azure/functions-core'] },
    beside: (name) => ({
      'package.json': manifestOf(name),
      ...(isApp(name) ? { 'host.json': hostOf(name) } : {}),
    }),
  },
} as const satisfies Readonly<Record<string, Cloud>>;

interface Beside {
  readonly module: string;
  readonly file: string;
  readonly exports: string;
  /** Where the module is resolved from. */
  readonly from: string;
  readonly plugins: readonly Plugin[];
}

/**
 * Files of their own beside a function that imports them when it needs them: one that answers tools and webhooks does not
 * read the page when it starts, nor one that takes a signal the readers of datasets.
 */
const besides: readonly Beside[] = [
  {
    module: '@serin/page/page',
    file: 'page.cjs',
    exports: 'answerPage',
    from: '../packages/api/src',
    plugins: [builtPage],
  },
  {
    module: '@serin/profile/profiler',
    file: 'profiler.cjs',
    exports: 'profiler',
    from: '../packages/platform/src',
    plugins: [],
  },
];

const leftBeside: Plugin = {
  name: 'left beside',
  setup({ onResolve }) {
    for (const { module, file } of besides)
      onResolve({ filter: new RegExp(`^${module}$`) }, () => ({ path: `./${file}`, external: true }));
  },
};

const forNode = {
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  mainFields: ['module', 'main'],
  logLevel: 'warning',
} as const satisfies BuildOptions;

const bundleBeside = ({ module, file, exports, from, plugins }: Beside, folder: string): Promise<unknown> =>
  build({
    ...forNode,
    stdin: {
      contents: `export { ${exports} } from '${module}';`,
      resolveDir: fileURLToPath(new URL(from, import.meta.url)),
      sourcefile: `entry of ${file}`,
      loader: 'ts',
    },
    outfile: join(folder, file),
    plugins: [...plugins],
  });

const manifestOf = (name: string) => ({ name: `serin-${name.toLowerCase()}`, private: true, main: 'index.cjs' });
const isApp = (name: string): name is FunctionApp => Object.hasOwn(functionApps, name);

export type CloudName = keyof typeof clouds;

/** Bundles what `code` exports; imports are resolved as in the functions of the cloud. `plain`: as esbuild makes it. */
export async function bundle(
  cloud: CloudName,
  { name, code, plain = false }: { readonly name: string; readonly code: string; readonly plain?: boolean },
  folder: string,
): Promise<Bundle> {
  const { source, cuts, beside } = clouds[cloud];
  const file = join(folder, name, 'index.cjs');
  const { metafile } = await build({
    ...forNode,
    stdin: { contents: code, resolveDir: source, sourcefile: `entry of ${name}`, loader: 'ts' },
    outfile: file,
    ...(plain ? {} : cuts),
    plugins: [leftBeside, ...(plain || !('plugins' in cuts) ? [] : cuts.plugins)],
    metafile: true,
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  for (const each of besides) if (imported.includes(`./${each.file}`)) await bundleBeside(each, dirname(file));
  for (const [other, content] of Object.entries(beside(name)))
    await writeFile(join(dirname(file), other), `${JSON.stringify(content)}\n`);
  const bytes = Object.values(metafile.outputs)[0]?.bytes ?? 0;
  return { name, file, bytes };
}

export const bundleFunctions = (cloud: CloudName, folder: string): Promise<readonly Bundle[]> =>
  Promise.all(entryPoints.map((name) => bundle(cloud, { name, code: clouds[cloud].entryOf(name) }, folder)));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const cloud = (Object.keys(clouds) as CloudName[]).find((known) => known === process.argv[2]);
  if (cloud === undefined) {
    process.stderr.write(`usage: node scripts/bundle.ts ${Object.keys(clouds).join('|')} [folder]\n`);
    process.exit(2);
  }
  for (const { file, bytes } of await bundleFunctions(cloud, process.argv[3] ?? `dist/${cloud}`))
    process.stdout.write(`${file} ${Math.round(bytes / 1024)} KB\n`);
}
