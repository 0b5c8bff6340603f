/** What SST puts around `sst.config.ts` on every cloud, as far as it is used there. */
declare function $config<Config>(config: Config): Config;
declare const $app: { readonly name: string; readonly stage: string };
declare const $cli: { readonly paths: { readonly root: string } };
/** Pulumi, as SST carries it. */
declare const $util: import('./pulumi.ts').PulumiModule;
