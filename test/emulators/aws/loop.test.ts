import {
  DescribeModelPackageCommand,
  ListModelPackageGroupsCommand,
  ListModelPackagesCommand,
} from '@aws-sdk/client-sagemaker';
import { expect } from 'vitest';
import { emulated } from '../emulated.ts';
import { canaries, failures, loopContract } from '../loop.contract.ts';
import type { LoopWorld } from './loop-world.ts';
import { openLoop } from './open-loop.ts';

emulated('the whole loop on AWS', () => {
  loopContract(openLoop, {
    creates: ['aws ssm put-parameter', '--name /serin/shop/prod/programs/other-key'],
    alarms: 'cloudwatch',
    silence: failures,
    async afterStory({ world, written }) {
      const { ModelPackageGroupSummaryList: groups = [] } = await world.sagemaker.send(
        new ListModelPackageGroupsCommand({}),
      );
      const { ModelPackageSummaryList: packages = [] } = await world.sagemaker.send(
        new ListModelPackagesCommand({ ModelPackageGroupName: groups[0]?.ModelPackageGroupName }),
      );
      expect(packages).toHaveLength(3);
      const described = await world.sagemaker.send(
        new DescribeModelPackageCommand({ ModelPackageName: packages[0]?.ModelPackageArn }),
      );
      expect(described.ModelApprovalStatus).toBe('Approved');
      // Each of them is held against the role of its function when the loop is closed.
      expect(world.roles.done()).toEqual(
        expect.arrayContaining([
          'api s3:GetObject own code',
          'api s3:GetObject own datasets',
          'api s3:ListBucket own',
          'api s3:PutObject own configs',
          'signals s3:GetObject data prices',
          'signals s3:PutObject own starts',
          'signals ssm:GetParameters',
        ]),
      );
      const places = await written();
      for (const place of [/^starts\//, /^configs\//, /^the table/, /PutEvents/, /^the log/])
        expect([place, places.some(([where]) => place.test(where))]).toEqual([place, true]);
      expectSecretsInVariablesOnly(world);
    },
  });
});

function expectSecretsInVariablesOnly({ provider }: LoopWorld): void {
  const has = (text: string, of: keyof typeof canaries) => text.includes(canaries[of]);
  const started = (of: keyof typeof canaries) => [
    ...new Set(
      provider.calls
        .filter(({ input }) => has(JSON.stringify(input), of))
        .flatMap(({ operation, input: { Environment, PrimaryContainer, ...rest } }) => [
          operation,
          ...(has(JSON.stringify(rest), of) ? ['beside the variables'] : []),
        ]),
    ),
  ];

  expect(started('api-key').toSorted()).toEqual(['sagemaker:CreateProcessingJob', 'sagemaker:CreateTrainingJob']);
  expect(started('model-key')).toEqual(['sagemaker:CreateModel']);
}
