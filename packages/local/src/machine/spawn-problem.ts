/**
 * Why a program could not be started: the code of the error, and never its text. Node shows the variable that it refuses
 * with its value, and a secret may be in it.
 */
export function spawnProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
  const nul = code === 'ERR_INVALID_ARG_VALUE' ? ' (a NUL character in its command or its environment)' : '';
  return `${code}${nul}`;
}
