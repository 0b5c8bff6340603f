import { sentenceOf } from './sentence.ts';
import type { Happening, Settings, Sink } from './sink.ts';

/**
 * An incoming webhook of Slack: one line in a channel.
 *
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export const slack = {
  settings: { url: 'the address of an incoming webhook of Slack' },
  defaultOn: [
    ...['rollout.*', 'run.failed', 'run.refused', 'approval.requested'],
    ...['endpoint.unready', 'endpoint.blocked', 'alert.*', 'drift.detected', 'performance.lost'],
  ],
  request(happening: Happening, { url = '' }: Settings) {
    const { subject, said } = sentenceOf(happening);
    return {
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: `*${escaped(subject)}* ${escaped(said)}` }),
    };
  },
} satisfies Sink;

// A reason may be a text of a user. Without this, `<!channel>` in it would alert the whole channel.
// https://docs.slack.dev/messaging/formatting-message-text
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('*', '∗');
