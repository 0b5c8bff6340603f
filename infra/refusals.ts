/** Words of a cloud, and what mends what they say. The first that fits is told. */
export type Mends<About> = readonly (readonly [said: RegExp, mend: (about: About, text: string) => string])[];

interface Said {
  readonly name?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: string;
}

/**
 * What a cloud throws, with what mends it. `ofState`: asked for the state of a team, where errors of another name than
 * `errorName` are texts of our own, which say what to do themselves.
 */
export const refusalsBy =
  <About>({
    mends,
    ofState,
    errorName,
  }: {
    readonly mends: Mends<About>;
    readonly ofState: (about: About) => boolean;
    readonly errorName: string;
  }) =>
  async <Answer>(about: About, ask: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await ask();
    } catch (error) {
      const { name = '', message = String(error), reason = '', code = '' } = error as Said;
      if (ofState(about) && name !== errorName) throw error;
      const text = `${reason} ${code} ${message}`;
      const mend = mends.find(([said]) => said.test(text))?.[1](about, text);
      throw mend === undefined ? error : new Error(`${mend} (${message})`, { cause: error });
    }
  };
