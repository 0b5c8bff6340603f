/** The provider, as SST carries it. */
declare const azurenative: import('./pulumi.ts').Platform['azure'];
