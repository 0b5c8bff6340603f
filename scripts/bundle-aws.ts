// The functions of AWS as they are deployed: each entry point alone, minified, into <folder>/<name>/index.cjs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const source = fileURLToPath(new URL('../functions/aws/src', import.meta.url));
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

/** What we leave out of the SDK; `plain` bundles are as esbuild makes them. */
const cuts = {
  alias: { '@aws-sdk/credential-provider-node': join(source, 'calls', 'credentials.ts') },
  plugins: [shakeableSchemas],
};

/** Bundles what `code` exports; imports are resolved as in functions/aws. */
export async function bundle(name: string, code: string, folder: string, plain = false): Promise<Bundle> {
  const file = join(folder, name, 'index.cjs');
  const { metafile } = await build({
    stdin: { contents: code, resolveDir: source, sourcefile: `entry of ${name}`, loader: 'ts' },
    outfile: file,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    ...(plain ? {} : cuts),
    metafile: true,
    logLevel: 'warning',
  });
  const bytes = Object.values(metafile.outputs)[0]?.bytes ?? 0;
  return { name, file, bytes };
}

export const bundleFunctions = (folder: string): Promise<readonly Bundle[]> =>
  Promise.all(entryPoints.map((name) => bundle(name, `export { ${name} as handler } from './functions.ts';`, folder)));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'dist/aws';
  for (const { file, bytes } of await bundleFunctions(folder))
    process.stdout.write(`${file} ${Math.round(bytes / 1024)} KB\n`);
}
