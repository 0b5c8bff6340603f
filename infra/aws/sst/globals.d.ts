/** The provider, as SST carries it. */
declare const aws: import('./pulumi.ts').Platform['aws'];
