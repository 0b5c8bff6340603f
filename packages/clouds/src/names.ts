/** A name that a platform does not take, and where the config says it. */
export interface NameProblem {
  readonly path: 'project' | 'environment';
  readonly value: string;
  /** Goes on after the value: `must be ...`. */
  readonly message: string;
}

/** The names that everything of an installation is made of. */
export interface Names {
  readonly project: string;
  readonly environment: string;
}

/** Names are joined as `<project>-<environment>`: with a hyphen in both parts two installations could be one. */
const shapes = {
  project: {
    of: /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    message: 'lower-case letters and digits, separated by single hyphens',
  },
  environment: { of: /^[a-z][a-z0-9]*$/, message: 'lower-case letters and digits without a hyphen' },
} as const;

/** Names that cannot be joined, or have too many characters together. Imports nothing: infra/ has it as well. */
export function nameProblems(
  names: Names,
  { mostTogether, because }: { readonly mostTogether: number; readonly because: string },
): readonly NameProblem[] {
  const { project, environment } = names;
  const misshapen = (['project', 'environment'] as const)
    .filter((path) => !shapes[path].of.test(names[path]))
    .map((path) => ({
      path,
      value: names[path],
      message: `must be ${shapes[path].message}, a letter first`,
    }));
  const together = project.length + environment.length;
  if (together <= mostTogether) return misshapen;
  const message = `has ${together} characters with the environment '${environment}', more than ${mostTogether}: shorten one of them, ${because}`;
  return [...misshapen, { path: 'project', value: project, message }];
}
