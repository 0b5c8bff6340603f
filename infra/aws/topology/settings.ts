import { awsNameProblems } from '@serin/clouds/aws/names';
import { type Field, type Fields, isObject, listOf, oneOf, problemsBy, wholeBetween } from '../../shared/fields.ts';
import {
  commonFields,
  readSettings as readFile,
  requireSettings,
  type SettingsRead,
} from '../../shared/settings-file.ts';
import type { Settings } from './shapes.ts';

// Within a stack of the CDK, what is made beside the installation is known by a placeholder only.
// https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
const placeholder = /[$#]\{Token\[/;
const text =
  (shape: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && (shape.test(value) || placeholder.test(value));

const keyShape = /^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;
// What CloudWatch Logs takes. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
const logDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const accounts: Field = {
  must: 'a list of one account (12 digits) or more, each once',
  takes: listOf(text(/^\d{12}$/), 1),
};

const fields: Readonly<Record<keyof Settings, Field>> = {
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  ...commonFields({ must: 'S3 buckets', takes: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/) }),
  dataAccounts: accounts,
  createDataBuckets: { must: 'true or false', takes: oneOf(true, false) },
  kmsKey: {
    // IAM holds a policy to the key itself, never to an alias of it.
    // https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html
    must: "the ARN of a key, 'arn:aws:kms:<region>:<account>:key/<id>', and not of an alias",
    takes: text(keyShape),
  },
  dataKeys: {
    must: "a list of ARNs of keys, 'arn:aws:kms:<region>:<account>:key/<id>', none of an alias and each once",
    takes: listOf(text(keyShape), 1),
  },
  network: {
    must: "'isolated', or {subnets, securityGroups} of a network of yours",
    takes: (value) => value === 'isolated' || isObject(value),
  },
  notify: {
    must: "the ARN of an SNS topic, 'arn:aws:sns:<region>:<account>:<name>'",
    takes: text(/^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(\.fifo)?$/),
  },
  alertTopic: { must: 'true or false', takes: oneOf(true, false) },
  imageAccounts: accounts,
  dashboard: { must: 'true or false', takes: oneOf(true, false) },
  adopt: { must: 'true or false', takes: oneOf(true, false) },
  apiConcurrency: { must: 'a whole number from 1 to 1000', takes: wholeBetween(1, 1000) },
  lambdaConcurrency: { must: 'a whole number from 10 to 1000000', takes: wholeBetween(10, 1_000_000) },
  logDays: { must: `one of ${logDays.join(', ')}`, takes: oneOf(...logDays) },
};

/** Fields of older files, and what became of them. */
const retired = {
  imageCache: 'is no setting any more: take it out; each installation has an image cache of its own',
};

/** An empty list is refused: without subnets, functions and jobs would run in no network of the owner's. */
const networkFields: Fields = {
  subnets: { must: "a list of one id ('subnet-...') or more", takes: listOf(text(/^subnet-\w+$/), 1), required: true },
  securityGroups: { must: "a list of one id ('sg-...') or more", takes: listOf(text(/^sg-\w+$/), 1), required: true },
};

export const settingsProblems = (settings: object): readonly string[] =>
  problemsBy({ fields, objects: { network: networkFields }, retired, nameProblems: awsNameProblems }, settings);

/** What `serin.aws.json`, or a file of the CDK, says of one environment. `stage` names it, else the file does. */
export const readSettings = (file: unknown, stage?: string): SettingsRead<Settings> =>
  readFile(settingsProblems, file, stage);

/** The same, or an error with everything that is wrong. */
export const settingsOf = (name: string, file: unknown, stage?: string): Settings =>
  requireSettings(name, readSettings(file, stage));
