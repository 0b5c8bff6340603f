import { expect, test } from 'vitest';
import { whyRollout } from '../why.ts';
import { endings } from './endings.fixture.ts';
import { rolloutOf } from './judge.fixture.ts';

test('a sentence says why, how sure that is and what now, for each way in which a rollout ends or waits', async () => {
  const said = Object.entries(endings).map(([name, make]) => {
    const rollout = rolloutOf(make());
    const { certificate } = rollout;
    const sentence = certificate === undefined ? whyRollout(rollout, 'fraud').sentence : certificate.sentence;
    return `${name}\n  ${sentence}\n`;
  });

  // Read each by itself before it is renewed with `vitest --update`: somebody has to understand it without the code.
  await expect(said.join('\n')).toMatchFileSnapshot('endings.golden.txt');
}, 60_000);
