import { type NameProblem, type Names, nameProblems } from '../names.ts';

/** The id of a Google project: buckets of all projects share their names, so ours ends with it. */
const projectId = 30;
const bucketName = 63;

/** What Google Cloud would refuse of the names that everything of an installation is made of. */
export const gcpNameProblems = (names: Names): readonly NameProblem[] => [
  ...nameProblems(names, {
    // `serin-<project>-<environment>-<id of the Google project>`
    mostTogether: bucketName - 'serin---'.length - projectId,
    because: "the bucket's name has no room for more beside the id of the Google project",
  }),
  ...(['project', 'environment'] as const)
    .filter((path) => isReserved(names[path]))
    .map((path) => ({
      path,
      value: names[path],
      message: "must not contain 'google' or look like it: rename it, Cloud Storage refuses the bucket",
    })),
];

// "or close misspellings, such as g00gle". https://docs.cloud.google.com/storage/docs/buckets#naming
const isReserved = (name: string): boolean => /g[o0][o0]g[l1]e/.test(name);

export const isBucketName = (name: string): boolean =>
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) && !name.startsWith('goog') && !isReserved(name);
