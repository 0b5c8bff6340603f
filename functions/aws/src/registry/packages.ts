import {
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DescribeModelPackageCommand,
  type DescribeModelPackageCommandOutput,
  DescribeModelPackageGroupCommand,
  ListModelPackagesCommand,
  type ModelApprovalStatus,
  type SageMakerClient,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import { sha256Hex } from '@serin/core/base/json';
import type { Approval, RegisteredVersion } from '@serin/core/ports/registry';
import type { Installation } from '@serin/platform/names';
import { versionProperties } from '@serin/platform/registry/properties';
import { ifThere, nameOfError, saysExists, saysMissing } from '../faults.ts';
import { groupName, tagsOf } from '../names.ts';

/** A version as a model package has it. */
export interface Package {
  readonly arn: string;
  readonly version: RegisteredVersion;
  readonly properties: Readonly<Record<string, string>>;
  /** Who changed it last, as AWS knows them. */
  readonly by?: string;
}

/** botocore: CustomerMetadataMap, CustomerMetadataKey, CustomerMetadataValue. */
const { propertiesOf, versionIn } = versionProperties({
  of: 'a model package',
  entries: 50,
  key: 128,
  value: 256,
  unsafe: /^ | $|[^\p{L}\p{N} _.:/+\-@]/gu,
  mark: '=',
  hex: 'upper',
});

/** What SageMaker has no word for, and shows as rejected. */
const notes = {
  expired: 'expired: nobody decided in time',
  superseded: 'superseded: another version was offered',
} as const;
export const isNoted = (approval: Approval): approval is keyof typeof notes => Object.hasOwn(notes, approval);

const words: Readonly<Record<Approval, ModelApprovalStatus>> = {
  pending: 'PendingManualApproval',
  approved: 'Approved',
  rejected: 'Rejected',
  expired: 'Rejected',
  superseded: 'Rejected',
};

/** What a listing tells of a package: no property, but its description. */
const titleOf = (number: number): string => `Serin v${number}`;

/** The model packages of an installation; the methods may throw what the SDK throws. */
export function modelPackages({
  sagemaker,
  installation,
}: {
  readonly sagemaker: SageMakerClient;
  readonly installation: Installation;
}) {
  /** `undefined` for a package that is not of this installation, or not there. */
  async function describe(arn: string): Promise<Package | undefined> {
    const command = new DescribeModelPackageCommand({ ModelPackageName: arn });
    const found = await ifThere(`reading the model package ${arn}`, () => sagemaker.send(command));
    if (found === undefined) return undefined;
    const properties = found.CustomerMetadataProperties ?? {};
    const version = versionIn(installation, properties);
    const by = found.LastModifiedBy?.IamIdentity?.Arn ?? found.LastModifiedBy?.UserProfileName;
    if (version === undefined) return undefined;
    const known = { arn, properties, version: { ...version, approval: approvalIn(found) } };
    return by === undefined ? known : { ...known, by };
  }

  async function* summaries(model: string) {
    let NextToken: string | undefined;
    do {
      const page = await sagemaker.send(
        new ListModelPackagesCommand({
          ModelPackageGroupName: groupName(installation, model),
          MaxResults: 100,
          ...(NextToken === undefined ? {} : { NextToken }),
        }),
      );
      yield* page.ModelPackageSummaryList ?? [];
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  }

  return {
    describe,

    /** The package of a number: of two, the one with the smaller version of SageMaker's. Others may have our description. */
    async find(model: string, number: number): Promise<Package | undefined> {
      const named: { readonly arn: string; readonly version: number }[] = [];
      try {
        for await (const { ModelPackageArn: arn = '', ModelPackageVersion: version = 0, ...rest } of summaries(model))
          if (rest.ModelPackageDescription === titleOf(number)) named.push({ arn, version });
      } catch (error) {
        // The group is not there before the first version of a model.
        if (!saysMissing(error)) throw error;
      }
      for (const { arn } of named.sort((a, b) => a.version - b.version)) {
        const found = await describe(arn);
        if (found?.version.number === number) return found;
      }
      return undefined;
    },

    /** Twice: the same group. */
    async ensureGroup(model: string): Promise<void> {
      const ModelPackageGroupName = groupName(installation, model);
      const command = new DescribeModelPackageGroupCommand({ ModelPackageGroupName });
      const found = await ifThere(`reading the group ${ModelPackageGroupName}`, () => sagemaker.send(command));
      if (found !== undefined) return;
      try {
        const Tags = tagsOf(installation, { 'serin:model': model });
        await sagemaker.send(new CreateModelPackageGroupCommand({ ModelPackageGroupName, Tags }));
      } catch (error) {
        // Another register was faster.
        if (!saysExists(error)) throw error;
      }
    },

    /** Twice: one package, by the token. Whether it has this very content is for the caller to read. */
    async create(version: RegisteredVersion): Promise<void> {
      const { model, number, artifact, approval } = version;
      const { project, environment } = installation;
      try {
        await sagemaker.send(
          new CreateModelPackageCommand({
            ModelPackageGroupName: groupName(installation, model),
            ModelPackageDescription: titleOf(number),
            ModelApprovalStatus: words[approval],
            CustomerMetadataProperties: { ...propertiesOf(installation, version) },
            ...(isSource(artifact.uri) ? { SourceUri: artifact.uri } : {}),
            // Without one the SDK makes up another at each call (cloud-facts T8). 36 of `[a-zA-Z0-9-]` at most.
            ClientToken: sha256Hex(JSON.stringify([project, environment, 'version', model, number])).slice(0, 36),
          }),
        );
      } catch (error) {
        if (nameOfError(error) !== 'ConflictException') throw error;
      }
    },

    /**
     * Last write wins: no token, for the same approval may come a second time after another one. The properties go
     * along, for whether an update without them keeps them is not documented (moto drops them).
     */
    async update({ arn, properties }: Package, approval: Approval): Promise<void> {
      await sagemaker.send(
        new UpdateModelPackageCommand({
          ModelPackageArn: arn,
          ModelApprovalStatus: words[approval],
          ApprovalDescription: isNoted(approval) ? notes[approval] : `${approval}, as Serin has it`,
          CustomerMetadataProperties: { ...properties },
        }),
      );
    },
  };
}

function approvalIn({ ModelApprovalStatus, ApprovalDescription }: DescribeModelPackageCommandOutput): Approval {
  if (ModelApprovalStatus === 'Approved') return 'approved';
  if (ModelApprovalStatus !== 'Rejected') return 'pending';
  const noted = (['expired', 'superseded'] as const).find((word) => notes[word] === ApprovalDescription);
  return noted ?? 'rejected';
}

/** botocore: ModelPackageSourceUri. Beside it there can be no inference specification (sagemaker-python-sdk PR 4492). */
const isSource = (uri: string): boolean => /^[\p{L}\p{M}\p{Z}\p{N}\p{P}]{1,1024}$/u.test(uri);
