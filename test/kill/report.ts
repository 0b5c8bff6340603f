/** Counts promises that held and promises that did not, and prints the latter. */
export function report() {
  let [passed, failed] = [0, 0];
  return {
    check(promise: string, problems: readonly string[]): void {
      if (problems.length === 0) {
        passed += 1;
        return;
      }
      failed += 1;
      console.log(`FAILED: ${promise}`);
      for (const problem of problems.slice(0, 10)) console.log(`  ${problem}`);
    },
    hasFailed: (): boolean => failed > 0,
    summary: (): string => `${passed} passed, ${failed} failed`,
  };
}
