interface Options<Answer> {
  readonly ask: (name: string) => Promise<Answer>;
  /** How long an answer is good for whoever asks of what is past. */
  readonly keptMs: number;
  readonly now: () => number;
}

/** So many answers are kept; then all are forgotten. */
const most = 200;

/** A cloud says no more than so often what its things are: whoever looks one after the other shares what it said. */
export function recentAnswers<Answer>({ ask, keptMs, now }: Options<Answer>) {
  const known = new Map<string, { readonly said: Answer; readonly at: number }>();

  /** Asked now. */
  async function askedNow(name: string): Promise<Answer> {
    const at = now();
    const said = await ask(name);
    if (known.size >= most) known.clear();
    known.set(name, { said, at });
    return said;
  }

  return {
    askedNow,
    /** As it was said a moment ago, else asked. */
    async saidLately(name: string): Promise<Answer> {
      const found = known.get(name);
      return found !== undefined && now() - found.at < keptMs ? found.said : askedNow(name);
    },
  };
}
