/** Where an installation runs. A config may name an image for each, so the names are the config's own words. */
export const platforms = ['aws', 'gcp', 'azure', 'local'] as const;
export type Platform = (typeof platforms)[number];
