/** The queue of signals, as its writer sees it. */
export interface Queue {
  /**
   * A stream is looked at soon, or after this many seconds. At least once; durable when it resolves. A delay is a wish:
   * the look may come earlier, or only with the next tick of the clock.
   */
  tick(stream: string, delaySeconds?: number): Promise<void>;
  ticks(streams: readonly string[]): Promise<void>;
  /** A message as it once was received. */
  send(body: string): Promise<void>;
}
