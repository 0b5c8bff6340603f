import { checks } from '@serin/core/drift/validate';

/** A row for each check of the validation of a dataset. */
export const checkBlock = (): string =>
  [
    '| Check | By itself | What it finds |',
    '| --- | --- | --- |',
    ...Object.entries(checks).map(([name, { action, says }]) => `| \`${name}\` | ${action} | ${says} |`),
  ].join('\n');
