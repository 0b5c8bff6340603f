import { type NameProblem, type Names, nameProblems } from '../names.ts';

/** What AWS would refuse of the names that everything of an installation is made of. */
export const awsNameProblems = (names: Names): readonly NameProblem[] =>
  nameProblems(names, {
    // Bucket names hold 63 characters: `serin-`, account (12), region (14 at most) and three hyphens are taken.
    mostTogether: 28,
    because: "the bucket's name has room for no more",
  });
