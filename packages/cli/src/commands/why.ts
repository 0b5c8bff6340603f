import type { Certificate } from '@serin/core/judge/certificate';
import { certificateLines } from '../certificate-text.ts';
import { argument, type Command, clientOf, path, show } from '../invocation.ts';
import { table } from '../table.ts';
import { harmless } from '../terminal.ts';

/** One line that says why, the certificate if there is one, then the timeline. */
export const why: Command = async (invocation) => {
  const { terminal } = invocation;
  const document = await (await clientOf(invocation)).get(path`/v1/why/${argument(invocation, 0)}`);
  const timeline = Array.isArray(document.story) ? document.story : [];
  show(invocation, document, () => {
    const sentence = `${terminal.paint('bold', harmless(String(document.sentence ?? '')))}\n`;
    const certificate = certificateLines(document.certificate as unknown as Certificate | undefined); // the server's own
    const shown = certificate.map((text) => `${text}\n`).join('');
    return timeline.length === 0
      ? sentence
      : `${sentence}${shown}${table(timeline, { AT: 'at', WHAT: 'text' }, terminal)}`;
  });
  return 0;
};
