/// <reference path="./infra/shared/sst.d.ts" />
/// <reference path="./infra/aws/sst/globals.d.ts" />

/**
 * What SST has to know of a cloud before it runs anything; all that an installation consists of is in infra/<cloud>.
 *
 * SST takes no import at the top of this file.
 */
const clouds = {
  aws: {
    home: 'aws',
    providers: (tags: Readonly<Record<string, string>>) => ({
      // The version that infra/ is tested against.
      aws: { version: '7.20.0', defaultTags: { tags } },
    }),
    async install(root: string) {
      const { installed } = await import('./infra/aws/sst/installed.ts');
      return installed({ aws, pulumi: $util }, { root, stage: $app.stage });
    },
  },
} as const;

/** The cloud whose settings, `serin.<cloud>.json`, are beside this file: one copy deploys one project to one cloud. */
function chooseCloud(root: string) {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
  const names = Object.keys(clouds) as readonly (keyof typeof clouds)[];
  const files = names.map((name) => ({ cloud: clouds[name], file: `serin.${name}.json` }));
  const found = files.find(({ file }) => existsSync(`${root}/${file}`));
  if (found === undefined)
    throw new Error(
      `${files.map(({ file }) => file).join(' or ')} is missing beside sst.config.ts: run 'serin deploy'`,
    );
  return { ...found, project: JSON.parse(readFileSync(`${root}/${found.file}`, 'utf8')).project };
}

/** Deploys one installation of Serin per project and stage. */
export default $config({
  app: ({ stage = 'dev' }: { readonly stage?: string }) => {
    const { cloud, project } = chooseCloud('.');
    return {
      name: `serin-${project}`,
      home: cloud.home,
      // SST runs with the credentials of whoever deploys: any other version of it is refused, by itself.
      version: '4.17.1',
      // Table and buckets stay in any case: they say so themselves.
      removal: 'remove',
      providers: cloud.providers({ 'serin:project': project, 'serin:environment': stage }),
    };
  },
  run: () => chooseCloud($cli.paths.root).cloud.install($cli.paths.root),
});
