/** What was written into the own bucket. */
type Written = (key: string, content: string) => boolean;

/** The end of a call of a function. */
export interface Death {
  /** Whether it has come. */
  isOver(): boolean;
  /** What is left of the call comes to its end: late, after others have done its work. */
  rest(): Promise<void>;
}

interface Dying extends Death {
  readonly whenWritten: Written;
  readonly died: PromiseWithResolvers<'dead'>;
  readonly rests: PromiseWithResolvers<void>;
  left: Promise<unknown>;
}

/** What goes wrong while functions work: the copies of requests cannot be read, or a function is gone in the middle. */
export function openMishaps() {
  let isAway = false;
  let next: Dying | undefined;
  return {
    areCapturesAway: (): boolean => isAway,
    captures(are: 'away' | 'there'): void {
      isAway = are === 'away';
    },
    /** The function that next writes so is gone before it hears that it did. */
    dies(whenWritten: Written): Death {
      let isOver = false;
      const [died, rests] = [Promise.withResolvers<'dead'>(), Promise.withResolvers<void>()];
      void died.promise.then(() => {
        isOver = true;
      });
      const dying: Dying = {
        ...{ whenWritten, died, rests, left: Promise.resolve() },
        isOver: () => isOver,
        async rest() {
          rests.resolve();
          await dying.left;
        },
      };
      next = dying;
      return dying;
    },
    /** An object was written: its writer is answered when this ends. `kill`: of a function that can be killed. */
    wrote(key: string, content: string, kill?: () => void): Promise<void> | undefined {
      if (next?.whenWritten(key, content) !== true) return undefined;
      const { died, rests } = next;
      next = undefined;
      kill?.();
      died.resolve('dead');
      return kill === undefined ? rests.promise : undefined;
    },
    /** What a call answers, or that it is gone: what is left of it goes on when it may. */
    async orDead<Answer>(call: Promise<Answer>): Promise<Answer | 'dead'> {
      const dying = next;
      if (dying === undefined) return call;
      const answer = await Promise.race([call, dying.died.promise]);
      if (answer === 'dead') dying.left = call.catch(() => undefined);
      return answer;
    },
  };
}

export type Mishaps = ReturnType<typeof openMishaps>;
