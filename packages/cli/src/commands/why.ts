import type { Certificate } from '@serin/core/judge/certificate';
import { certificateLines } from '../certificate-text.ts';
import { argument, type Command, clientOf, path, show } from '../invocation.ts';
import { table, textOf } from '../table.ts';
import { paragraph } from '../width.ts';

/** One line that says why, the certificate if there is one, then the timeline. */
export const why: Command = async (invocation) => {
  const { terminal } = invocation;
  const [id, version] = [argument(invocation, 0), argument(invocation, 1)];
  const named = version === '' ? id : `${id}@${version}`;
  const document = await (await clientOf(invocation)).get(path`/v1/why/${named}`);
  const timeline = Array.isArray(document.story) ? document.story : [];
  show(invocation, document, () => {
    const sentence = paragraph(textOf('', document.sentence), terminal)
      .map((line) => `${terminal.paint('bold', line)}\n`)
      .join('');
    const certificate = certificateLines(document.certificate as unknown as Certificate | undefined); // the server's own
    const shown = certificate
      .flatMap((text) => paragraph(text, terminal))
      .map((text) => `${text}\n`)
      .join('');
    return timeline.length === 0
      ? sentence
      : `${sentence}${shown}${table(timeline, { AT: { path: 'at', as: 'at' }, WHAT: 'text' }, terminal)}`;
  });
  return 0;
};
