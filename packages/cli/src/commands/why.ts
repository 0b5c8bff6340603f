import { argument, type Command, clientOf, path, show } from '../invocation.ts';
import { table } from '../table.ts';
import { harmless } from '../terminal.ts';

/** One line that says why, then the story. */
export const why: Command = async (invocation) => {
  const { terminal } = invocation;
  const document = await (await clientOf(invocation)).get(path`/v1/why/${argument(invocation, 0)}`);
  const story = Array.isArray(document.story) ? document.story : [];
  show(invocation, document, () => {
    const sentence = `${terminal.paint('bold', harmless(String(document.sentence ?? '')))}\n`;
    return story.length === 0 ? sentence : `${sentence}${table(story, { AT: 'at', WHAT: 'text' }, terminal)}`;
  });
  return 0;
};
