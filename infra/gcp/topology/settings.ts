import { gcpNameProblems, isBucketName } from '@serin/clouds/gcp/names';
import { places } from '@serin/clouds/gcp/places';
import { type Field, type Fields, isObject, listOf, oneOf, problemsBy, wholeBetween } from '../../shared/fields.ts';
import {
  commonFields,
  readSettings as readFile,
  requireSettings,
  type SettingsRead,
  switched,
  text,
} from '../../shared/settings-file.ts';
import type { Settings } from './shapes.ts';

const bucketNames = listOf((value) => typeof value === 'string' && isBucketName(value), 0);

const fields: Readonly<Record<keyof Settings, Field>> = {
  ...commonFields({ must: 'Cloud Storage buckets', takes: isBucketName }),
  foreignBuckets: { must: 'a list of those data buckets that lie in other Google projects', takes: bucketNames },
  googleProject: { must: "the id of a Google project, such as 'acme-ml'", takes: text(places.account.of) },
  region: { must: "a region such as 'europe-west4'", takes: text(places.region.of) },
  createDataBuckets: switched,
  kmsKey: {
    must: "a key, 'projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>', and no version of it",
    takes: text(/^projects\/[\w.:-]+\/locations\/[a-z0-9-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/),
  },
  network: { must: '{network, connector} of a network of yours', takes: isObject },
  api: { must: "'public' or 'internal'", takes: oneOf('public', 'internal') },
  sharedEndpoints: switched,
  alertEmail: { must: 'an e-mail address', takes: text(/^[^@\s]+@[^@\s]+\.[^@\s]+$/) },
  notify: {
    must: "a notification channel, 'projects/<project>/notificationChannels/<id>'",
    takes: text(/^projects\/[\w.:-]+\/notificationChannels\/\d+$/),
  },
  // https://docs.cloud.google.com/logging/docs/buckets#custom-retention
  logDays: { must: 'a whole number from 1 to 3650', takes: wholeBetween(1, 3650) },
  dashboard: switched,
  adopt: switched,
  apiInstances: { must: 'a whole number from 1 to 1000', takes: wholeBetween(1, 1000) },
  roleGeneration: { must: 'a whole number from 1 to 99', takes: wholeBetween(1, 99) },
};

const networkFields: Fields = {
  network: {
    // Vertex AI takes the number of the project, not its id.
    must: "'projects/<number>/global/networks/<name>'",
    takes: text(/^projects\/\d+\/global\/networks\/[a-z0-9-]+$/),
    required: true,
  },
  connector: {
    must: "a Serverless VPC Access connector, 'projects/<project>/locations/<region>/connectors/<name>'",
    takes: text(/^projects\/[\w.:-]+\/locations\/[a-z0-9-]+\/connectors\/[a-z0-9-]+$/),
    required: true,
  },
};

export const settingsProblems = (settings: object): readonly string[] => [
  ...problemsBy({ fields, objects: { network: networkFields }, nameProblems: gcpNameProblems }, settings),
  ...keyProblems(settings),
];

/** firestore v1, CmekConfig: "Only keys in the same location as this database are allowed". */
function keyProblems({ kmsKey, region }: { readonly kmsKey?: unknown; readonly region?: unknown }): readonly string[] {
  const location = /\/locations\/([^/]+)\//.exec(String(kmsKey))?.[1];
  return region === undefined || location === undefined || location === region
    ? []
    : [`kmsKey is a key in ${location}: name one in ${region}, for it encrypts only where the installation is`];
}

/** What `serin.gcp.json` says of one environment. `stage` names it, else the file does. */
export const readSettings = (file: unknown, stage?: string): SettingsRead<Settings> =>
  readFile(settingsProblems, file, stage);

/** The same, or an error with everything that is wrong. */
export const settingsOf = (name: string, file: unknown, stage?: string): Settings =>
  requireSettings(name, readSettings(file, stage));
