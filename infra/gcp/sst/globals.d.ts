/** The provider, as SST carries it. */
declare const gcp: import('./pulumi.ts').Platform['gcp'];
