import { expect, test } from 'vitest';
import { channelVariables, decodedHyperparameters } from './variables.ts';

test("the channel 'train' has the name of SageMaker's default as well, unless there is one of that name", () => {
  expect(channelVariables({ train: '/t', holdout: '/h' })).toEqual({
    SM_CHANNEL_TRAIN: '/t',
    SM_CHANNEL_TRAINING: '/t',
    SM_CHANNEL_HOLDOUT: '/h',
  });
  expect(channelVariables({ train: '/t', training: '/own' })).toMatchObject({ SM_CHANNEL_TRAINING: '/own' });
  expect(channelVariables({ model: '/m' })).toEqual({ SM_CHANNEL_MODEL: '/m' });
});

test('hyperparameters are decoded as the toolkit does it, and keep what a number cannot hold', () => {
  const hyperparameters = { epochs: '10', flag: 'true', big: '9007199254740993', text: 'adam', huge: '1e999' };

  expect(decodedHyperparameters({ hyperparameters })).toEqual({
    ...{ epochs: 10, flag: true, big: '9007199254740993', text: 'adam', huge: '1e999' },
  });
});
