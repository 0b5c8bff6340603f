import { asFault } from '@serin/core/base/fault';

/** What must be closed, newest first; one that fails keeps none of the others from it. */
export interface Closers {
  add(close: () => unknown): void;
  /** Twice: the same as once. */
  close(): Promise<void>;
}

export function closers(onFault: (error: Error) => void): Closers {
  const added: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    for (const close of added.reverse()) {
      try {
        await close();
      } catch (error) {
        onFault(asFault(error));
      }
    }
  }
  return {
    add: (close) => void added.push(close),
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
