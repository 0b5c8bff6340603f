import { notifier } from '@serin/platform/notifier';
import { type Answer, notifyContract } from './notify.contract.ts';
import { receiver } from './receiver.ts';

const status: Readonly<Record<Answer, number>> = {
  'takes it': 200,
  'refuses it for good': 422,
  'is down': 503,
  'is busy': 429,
  'knows no such sender': 401,
};
const secret = 'whsec_c2VjcmV0LWtleQ==';

notifyContract('notifier', async () => {
  const { answers, host, at } = await receiver(`the key ${secret} is none of ours`);
  return {
    port: notifier({ now: () => 1_700_000_000_000, secrets: async () => ({ secret }) }),
    sink: {
      name: 'ops',
      kind: 'webhook',
      on: ['*'],
      allowPrivate: [host],
      settings: { url: `http://${host}/hook`, secret: { secret: 'hooks' } },
    },
    secret,
    answer: (answer) => {
      answers['/hook'] = status[answer];
    },
    taken: () => at('/hook').map(({ headers }) => String(headers['webhook-id'])),
  };
});
