import { randomUUID } from 'node:crypto';
import {
  CreateModelPackageCommand,
  type CreateModelPackageCommandInput,
  CreateModelPackageGroupCommand,
  DescribeModelPackageCommand,
  ListModelPackagesCommand,
  SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { groupName } from '@serin/aws/names';
import { sageMakerRegistry } from '@serin/aws/ports/registry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registryContract, versionOf } from '../../contract/registry.contract.ts';
import { emulated } from '../emulated.ts';
import { type Emulator, startMoto } from '../installed.ts';
import { reach, recorder } from './clients.ts';
import { fakeWire, Refusal } from './fake-wire.ts';

let moto: Emulator;
const calls = recorder({ suite: 'registry', against: 'moto' });
const fakeCalls = recorder({ suite: 'registry-late', against: 'a fake of a registry whose list is late' });

function open(environment = `e${randomUUID()}`) {
  const sagemaker = calls.watch(new SageMakerClient(reach(moto.url)));
  const installation = { project: 'shop', environment };
  const registry = sageMakerRegistry({ sagemaker, installation });
  const group = (model: string) => groupName(installation, model);
  const packages = async (model: string) =>
    (await sagemaker.send(new ListModelPackagesCommand({ ModelPackageGroupName: group(model) })))
      .ModelPackageSummaryList ?? [];
  return { registry, sagemaker, installation, group, packages };
}

emulated('the model registry of SageMaker', () => {
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => {
    await moto.stop();
    calls.save();
    fakeCalls.save();
  });

  registryContract('SageMaker (moto)', async () => {
    const { registry, sagemaker } = open();
    return { port: registry, close: async () => sagemaker.destroy() };
  });

  describe('beyond the contract', () => {
    test('keeps text that SageMaker does not take, and an artifact of any name', async () => {
      const { registry } = open();
      const version = {
        ...versionOf('fraud', 1),
        artifact: { uri: 's3://drops/a+b=c, "d" (ü).tar.gz', digest: 'a'.repeat(64), bytes: 1 },
        lineage: { note: ' both = ends ', nothing: '', 'a key, odd': '😀%\n', long: 'x'.repeat(600) },
      };

      await registry.register(version);

      expect(await registry.get('fraud', 1)).toEqual(version);
    });

    test('keeps more metrics than a package has properties, and refuses what it cannot hold', async () => {
      const { registry } = open();
      const many = (count: number) => ({
        ...versionOf('fraud', count),
        metrics: Object.fromEntries(Array.from({ length: count }, (_, index) => [`metric-${index}`, index / 7])),
      });

      await registry.register(many(100));
      const refused = registry.register(many(1000));

      await expect(refused).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('fewer metrics'),
      });
      expect(await registry.get('fraud', 100)).toEqual(many(100));
    });

    test('finds a version among more than a page of them', async () => {
      const { registry } = open();
      await registry.register(versionOf('fraud', 1));
      await Promise.all(Array.from({ length: 100 }, (_, index) => registry.register(versionOf('fraud', index + 2))));

      expect(await registry.get('fraud', 101)).toEqual(versionOf('fraud', 101));
      expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    });

    test('counts the first of two packages of one number, whatever the second says', async () => {
      const { registry, sagemaker, packages } = open();
      await registry.register(versionOf('fraud', 1));
      const [first] = await packages('fraud');
      const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: first?.ModelPackageArn }));
      await sagemaker.send(
        new CreateModelPackageCommand({
          ModelPackageGroupName: found.ModelPackageGroupName,
          ModelPackageDescription: found.ModelPackageDescription,
          CustomerMetadataProperties: { ...found.CustomerMetadataProperties, 'serin.digest': 'b'.repeat(64) },
        }),
      );

      expect(await packages('fraud')).toHaveLength(2);
      expect(await registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    });

    test('makes one package of a version that is registered twice', async () => {
      const { registry, packages } = open();

      await registry.register(versionOf('fraud', 1));
      await registry.register(versionOf('fraud', 1));

      expect(await packages('fraud')).toHaveLength(1);
    });

    test('names each version by a token of its own, equal at every attempt', async () => {
      const environment = `e${randomUUID()}`;
      const tokens = () =>
        calls.recorded
          .filter(
            ({ operation, input }) => operation === 'CreateModelPackage' && JSON.stringify(input).includes(environment),
          )
          .map(({ input }) => (input as { readonly ClientToken?: string }).ClientToken);

      for (const [model, number] of [
        ['fraud', 1],
        ['fraud', 2],
        ['churn', 1],
      ] as const)
        await open(environment).registry.register(versionOf(model, number));

      expect(new Set(tokens()).size).toBe(3);
      for (const token of tokens()) expect(token).toMatch(/^[0-9a-f]{36}$/);
    });

    test('makes one package of attempts that the list does not show yet, and resolves when it does', async () => {
      const late = lateRegistry();

      await expect(late.registry.register(versionOf('fraud', 1))).rejects.toMatchObject({
        code: 'unavailable',
        retry: 'later',
      });
      await expect(late.registry.register(versionOf('fraud', 1))).rejects.toMatchObject({ code: 'unavailable' });
      late.show();
      await late.registry.register(versionOf('fraud', 1));

      expect(late.packages()).toBe(1);
      expect(await late.registry.get('fraud', 1)).toEqual(versionOf('fraud', 1));
    });

    test('refuses another artifact under a number whose token is known', async () => {
      const late = lateRegistry();
      await late.registry.register(versionOf('fraud', 1)).catch(() => undefined);

      const other = late.registry.register(versionOf('fraud', 1, 'b'.repeat(64)));
      await expect(other).rejects.toMatchObject({ code: 'unavailable' });
      late.show();

      await expect(late.registry.register(versionOf('fraud', 1, 'b'.repeat(64)))).rejects.toMatchObject({
        code: 'defect',
      });
      expect(late.packages()).toBe(1);
    });

    test.each(['expired', 'superseded'] as const)(
      'shows a version that is %s as rejected to SageMaker only',
      async (approval) => {
        const { registry, packages } = open();
        await registry.register(versionOf('fraud', 1));

        await registry.setApproval('fraud', 1, approval);

        expect((await packages('fraud'))[0]?.ModelApprovalStatus).toBe('Rejected');
        expect((await registry.get('fraud', 1))?.approval).toBe(approval);

        await registry.setApproval('fraud', 1, 'rejected');
        expect((await registry.get('fraud', 1))?.approval).toBe('rejected');
      },
    );

    test('sees an approval that was given in SageMaker', async () => {
      const { registry, sagemaker, packages } = open();
      await registry.register(versionOf('fraud', 1));
      const ModelPackageArn = (await packages('fraud'))[0]?.ModelPackageArn;
      const found = await sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: ModelPackageArn }));

      // Without the properties moto drops them; a person in the console of AWS does not name them.
      const { CustomerMetadataProperties } = found;
      await sagemaker.send(
        new UpdateModelPackageCommand({ ModelPackageArn, ModelApprovalStatus: 'Approved', CustomerMetadataProperties }),
      );

      expect((await registry.get('fraud', 1))?.approval).toBe('approved');
    });

    test('knows whose version a package is, and no package of others', async () => {
      const { registry, sagemaker, packages } = open();
      await registry.register(versionOf('fraud', 7));
      await registry.setApproval('fraud', 7, 'approved');
      const [ours] = await packages('fraud');
      await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName: `theirs-${randomUUID()}` }));

      const known = await registry.versionOfPackage(ours?.ModelPackageArn ?? '', 'approved');
      const other = await open().registry.versionOfPackage(ours?.ModelPackageArn ?? '', 'approved');
      const absent = await registry.versionOfPackage(`${ours?.ModelPackageArn?.replace(/\/\d+$/, '')}/99`, 'approved');

      expect(known).toMatchObject({ model: 'fraud', version: 7 });
      expect(other).toBeUndefined();
      expect(absent).toBeUndefined();
    });

    test('registers a version although somebody else made a package of that description before', async () => {
      const { registry, sagemaker, packages, group } = open();
      await registry.register(versionOf('fraud', 1));
      await sagemaker.send(
        new CreateModelPackageCommand({
          ModelPackageGroupName: group('fraud'),
          ModelPackageDescription: 'Serin v2',
          ModelApprovalStatus: 'Approved',
        }),
      );

      await registry.register(versionOf('fraud', 2));

      expect(await registry.get('fraud', 2)).toEqual(versionOf('fraud', 2));
      expect(await packages('fraud')).toHaveLength(3);
    });

    test('believes no decision that the registry itself does not show', async () => {
      const { registry, packages } = open();
      await registry.register({ ...versionOf('fraud', 7), approval: 'pending' });
      const arn = (await packages('fraud'))[0]?.ModelPackageArn ?? '';

      await expect(registry.versionOfPackage(arn, 'approved')).rejects.toMatchObject({ code: 'unavailable' });

      await registry.setApproval('fraud', 7, 'rejected');
      expect(await registry.versionOfPackage(arn, 'approved')).toBeUndefined();
      expect(await registry.versionOfPackage(arn, 'rejected')).toMatchObject({ version: 7 });
    });
  });
});

/**
 * A registry whose list is late, and whose tokens hold, which moto's do not: "a unique token that guarantees that the call
 * to this API is idempotent" (botocore, CreateModelPackage). That the same token with other content is a
 * ConflictException is a guess.
 */
function lateRegistry() {
  const group = 'arn:aws:sagemaker:eu-west-1:123456789012:model-package';
  const made = new Map<string, { readonly arn: string; readonly input: CreateModelPackageCommandInput }>();
  let shown = false;
  const list = () => (shown ? [...made.values()] : []);
  const services = {
    SageMaker: {
      DescribeModelPackageGroup: ({ ModelPackageGroupName }: { readonly ModelPackageGroupName: string }) => ({
        ...{ ModelPackageGroupName, ModelPackageGroupArn: `${group}-group/${ModelPackageGroupName}`, CreatedBy: {} },
        ...{ CreationTime: 1, ModelPackageGroupStatus: 'Completed' },
      }),
      CreateModelPackage(input: CreateModelPackageCommandInput) {
        const known = made.get(input.ClientToken ?? '');
        if (known !== undefined && JSON.stringify(known.input) !== JSON.stringify(input))
          throw new Refusal('ConflictException', 'The token is that of another request.');
        const arn = known?.arn ?? `${group}/${input.ModelPackageGroupName}/${made.size + 1}`;
        made.set(input.ClientToken ?? '', { arn, input });
        return { ModelPackageArn: arn };
      },
      ListModelPackages: () => ({
        ModelPackageSummaryList: list().map(({ arn, input }, index) => ({
          ...{ ModelPackageArn: arn, ModelPackageVersion: index + 1, CreationTime: 1, ModelPackageStatus: 'Completed' },
          ModelPackageDescription: input.ModelPackageDescription,
        })),
      }),
      DescribeModelPackage({ ModelPackageName }: { readonly ModelPackageName: string }) {
        const found = [...made.values()].find(({ arn }) => arn === ModelPackageName);
        if (found === undefined)
          throw new Refusal('ValidationException', `ModelPackage ${ModelPackageName} does not exist.`);
        const { ModelPackageGroupName, ModelApprovalStatus, CustomerMetadataProperties } = found.input;
        return {
          ...{ ModelPackageName: ModelPackageGroupName, ModelPackageArn: found.arn, CreationTime: 1 },
          ...{ ModelPackageStatus: 'Completed', ModelPackageStatusDetails: { ValidationStatuses: [] } },
          ...{ ModelApprovalStatus, CustomerMetadataProperties },
        };
      },
    },
  };
  const options = { ...reach('http://sagemaker.test'), requestHandler: fakeWire(services) };
  const sagemaker = fakeCalls.watch(new SageMakerClient(options));
  return {
    registry: sageMakerRegistry({ sagemaker, installation: { project: 'shop', environment: 'prod' } }),
    packages: () => made.size,
    show: () => {
      shown = true;
    },
  };
}
