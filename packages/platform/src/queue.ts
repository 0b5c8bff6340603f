/** The queue of signals, as its writer sees it. */
export interface Queue {
  /**
   * Has a stream looked at soon, or after this many seconds. At least once; durable when it resolves. The delay is a
   * wish: the look may come earlier, or only with the next tick of the clock.
   */
  tick(stream: string, delaySeconds?: number): Promise<void>;
  ticks(streams: readonly string[]): Promise<void>;
  /** A message as it once was received. */
  send(body: string): Promise<void>;
}
