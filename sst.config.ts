/// <reference path="./infra/aws/sst/globals.d.ts" />

/**
 * Deploys one installation of Serin per project and stage; all that it consists of is in infra/aws/topology.ts.
 *
 * SST takes no import at the top of this file.
 */
export default $config({
  app: ({ stage = 'dev' }: { readonly stage?: string }) => {
    const { readFileSync } = process.getBuiltinModule('node:fs');
    const { project } = JSON.parse(readFileSync('serin.aws.json', 'utf8'));
    return {
      name: `serin-${project}`,
      home: 'aws',
      // SST runs with the credentials of whoever deploys: any other version of it is refused, by itself.
      version: '4.17.1',
      // Table and buckets stay in any case: they say so themselves.
      removal: 'remove',
      providers: {
        aws: {
          // The one that infra/ is tested against.
          version: '7.20.0',
          defaultTags: { tags: { 'serin:project': project, 'serin:environment': stage } },
        },
      },
    };
  },
  async run() {
    const { installed } = await import('./infra/aws/sst/installed.ts');
    return installed({ aws, pulumi: $util }, { root: $cli.paths.root, stage: $app.stage });
  },
});
