import { type Command, textOption } from '../invocation.ts';

export const demo: Command = async (invocation) => {
  const { demo: run } = await import('../demo/main.ts');
  const directory = textOption(invocation, 'directory');
  return run({ json: invocation.terminal.json, ...(directory === undefined ? {} : { directory }) });
};
