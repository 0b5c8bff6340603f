import { type Command, show } from '../invocation.ts';
import { version } from '../version.ts';

export const printVersion: Command = async (invocation) => {
  const document = { version: version(), node: process.version };
  show(invocation, document, () => `serin ${document.version} (node ${document.node})\n`);
  return 0;
};
