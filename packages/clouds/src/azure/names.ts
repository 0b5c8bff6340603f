import { type NameProblem, type Names, nameProblems } from '../names.ts';

/** What Azure would refuse of the names that everything of an installation is made of. */
export const azureNameProblems = (names: Names): readonly NameProblem[] =>
  nameProblems(names, {
    // The workspace `serin-<project>-<environment>`: ^[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}$.
    // https://learn.microsoft.com/rest/api/azureml/workspaces/create-or-update
    mostTogether: 33 - 'serin--'.length,
    because: "the workspace's name has room for no more",
  });

// https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
export const isContainerName = (name: string): boolean =>
  name.length >= 3 && name.length <= 63 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
