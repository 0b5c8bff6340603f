/// <reference path="./infra/shared/sst.d.ts" />
/// <reference path="./infra/aws/sst/globals.d.ts" />
/// <reference path="./infra/gcp/sst/globals.d.ts" />
/// <reference path="./infra/azure/sst/globals.d.ts" />

/** What stands in the file of settings, as far as SST has to know it before it runs anything. */
interface Known {
  readonly project: string;
  readonly googleProject?: string;
  readonly subscription?: string;
  readonly region?: string;
}

/**
 * What SST has to know of a cloud before it runs anything; all that an installation consists of is in infra/<cloud>.
 *
 * SST takes no import at the top of this file.
 */
const clouds = {
  aws: {
    home: 'aws',
    providers: ({ project }: Known, environment: string) => ({
      // The version that infra/ is tested against.
      aws: {
        version: '7.20.0',
        defaultTags: { tags: { 'serin:project': project, 'serin:environment': environment } },
      },
    }),
    async install(root: string) {
      const { installed } = await import('./infra/aws/sst/installed.ts');
      return installed({ aws, pulumi: $util }, { root, stage: $app.stage });
    },
  },
  gcp: {
    // SST keeps no state in Google Cloud: decisions/0049-where-sst-keeps-its-state-on-gcp.md
    home: 'local',
    providers: ({ project, googleProject, region }: Known, environment: string) => {
      requireTeamState('gcp');
      return {
        gcp: {
          version: '9.37.0',
          project: googleProject,
          region,
          defaultLabels: { serin_project: project, serin_environment: environment },
        },
      };
    },
    async install(root: string) {
      const { installed } = await import('./infra/gcp/sst/installed.ts');
      return installed({ gcp, pulumi: $util }, { root, stage: $app.stage });
    },
  },
  azure: {
    // SST keeps no state in Azure: decisions/0061-how-azure-is-deployed.md
    home: 'local',
    providers: ({ subscription, region }: Known) => {
      requireTeamState('azure');
      return { 'azure-native': { version: '3.28.0', subscriptionId: subscription, location: region } };
    },
    async install(root: string) {
      const { installed } = await import('./infra/azure/sst/installed.ts');
      return installed({ azure: azurenative, pulumi: $util }, { root, stage: $app.stage });
    },
  },
} as const;

/** Only `serin` fetches it: whoever runs SST by itself would make everything again. */
function requireTeamState(cloud: string): void {
  if (process.env.SERIN_STATE) return;
  throw new Error(
    `the state of SST is not that of your team here: run 'serin deploy --cloud ${cloud}', which fetches it`,
  );
}

/** The cloud whose settings, `serin.<cloud>.json`, are beside this file: one copy deploys one project to one cloud. */
function chooseCloud(root: string) {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
  const names = Object.keys(clouds) as readonly (keyof typeof clouds)[];
  const files = names.map((name) => ({ cloud: clouds[name], file: `serin.${name}.json` }));
  const [found, ...others] = files.filter(({ file }) => existsSync(`${root}/${file}`));
  if (found === undefined)
    throw new Error(
      `${files.map(({ file }) => file).join(' or ')} is missing beside sst.config.ts: run 'serin deploy'`,
    );
  if (others.length > 0)
    throw new Error(
      `${[found, ...others].map(({ file }) => file).join(' and ')} are both beside sst.config.ts, and SST would not know which is meant: deploy to each cloud from a copy of the repository of its own`,
    );
  return { ...found, known: JSON.parse(readFileSync(`${root}/${found.file}`, 'utf8')) as Known };
}

/** Deploys one installation of Serin per project and stage. */
export default $config({
  app: ({ stage = 'dev' }: { readonly stage?: string }) => {
    const { cloud, known } = chooseCloud('.');
    return {
      name: `serin-${known.project}`,
      home: cloud.home,
      // SST runs with the credentials of whoever deploys: any other version of it is refused, by itself.
      version: '4.17.1',
      // What holds data stays in any case: it says so itself.
      removal: 'remove',
      providers: cloud.providers(known, stage),
    };
  },
  run: () => chooseCloud($cli.paths.root).cloud.install($cli.paths.root),
});
