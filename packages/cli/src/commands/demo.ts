import { type Command, textOption } from '../invocation.ts';

export const demo: Command = async (invocation) => {
  const { demo: run } = await import('../demo/main.ts');
  const directory = textOption(invocation, 'directory');
  const { terminal, signal } = invocation;
  return run({
    json: terminal.json,
    terminal: { width: terminal.width ?? 80, paint: terminal.paint },
    // Who sits there may look at the page; without a terminal it ends by itself.
    ...(terminal.interactive && terminal.width !== undefined ? { stay: signal } : {}),
    ...(directory === undefined ? {} : { directory }),
  });
};
