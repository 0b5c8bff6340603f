import { sha256Hex } from '@serin/core/base/json';
import { type On, ownFolders } from './calls.ts';
import type { Condition, Settings, Target, TopicId, Where } from './shapes.ts';

/** What a permission is given on. With a folder: of the bucket only what lies below it. */
export interface Place {
  readonly target: Target;
  readonly when?: Condition;
  readonly folder?: string;
  /** As it is printed. */
  readonly says: string;
}

/** Names of one installation. All are known before anything is created, so no policy waits for a resource. */
export interface Places {
  readonly settings: Settings;
  readonly where: Required<Where>;
  /** `serin-<project>-<environment>-<thing>` */
  readonly name: (thing: string) => string;
  /** Short enough for the 30 characters of a service account: `serin-<hash>-<thing>`. */
  readonly shortName: (thing: string) => string;
  readonly emailOf: (account: string) => string;
  readonly topic: (id: TopicId) => string;
  /** What an ID token for a function must be made out to. */
  readonly audienceOf: (functionName: string) => string;
  readonly ownBucket: string;
  readonly codeBucket: string;
  /** Those of this Google project: a role of it cannot be given on what lies in another one. */
  readonly dataBuckets: readonly string[];
  readonly database: string;
  /** Of BigQuery, whose names have no hyphens. */
  readonly captures: { readonly dataset: string; readonly table: string };
  /** The secret of incoming webhooks: `projects/<p>/secrets/<name>`. */
  readonly secrets: string;
  /** Before the name of each secret that a config names. */
  readonly secretsPrefix: string;
  /** Of the service that is named: it acts for the whole Google project. */
  readonly agentOf: (service: string) => string;
  readonly on: Readonly<Record<On, readonly Place[]>>;
}

/** What a renderer calls the resource of a function or a topic. */
export const resourceId = (id: string): string => `${id[0]?.toUpperCase()}${id.slice(1)}`;

const nodeTag = '24-slim';

/** The repository that keeps what it has pulled from Docker Hub, and the image of Node there. */
export function nodeImageOf({ where, name }: Places): string {
  return `${where.region}-docker.pkg.dev/${where.account}/${name('images')}/library/node:${nodeTag}`;
}

export function placesOf(settings: Settings, { account, region, number = '<number>' }: Where): Places {
  const { project, environment } = settings;
  const name = (thing: string): string => `serin-${project}-${environment}-${thing}`;
  // An account's id has 30 characters, and the names of an installation have up to 25 together.
  const short = sha256Hex(`${project}/${environment}`).slice(0, 8);
  const shortName = (thing: string): string => `serin-${short}-${thing}`;
  const emailOf = (id: string): string => `${shortName(id)}@${account}.iam.gserviceaccount.com`;
  const topic = (id: TopicId): string => `projects/${account}/topics/${name(id)}`;
  const ownBucket = name(account);
  const { foreignBuckets = [] } = settings;
  const dataBuckets = settings.dataBuckets.filter((each) => !foreignBuckets.includes(each));
  const database = `projects/${account}/databases/${name('journal')}`;
  const captures = { dataset: name('captures').replaceAll('-', '_'), table: 'requests' };
  const secrets = `projects/${account}/secrets/${name('webhooks')}`;
  const secretsPrefix = `serin_${project}_${environment}_`;
  const ofProject: Target = { kind: 'project', name: account };
  const inProject = (says: string, when: Condition): readonly Place[] => [{ target: ofProject, when, says }];
  const bucket = (of: string): Place => ({ target: { kind: 'bucket', name: of }, says: `gs://${of}` });
  const publish = (id: TopicId): readonly Place[] => [{ target: { kind: 'topic', name: topic(id) }, says: topic(id) }];
  const actAs = (id: string): readonly Place[] => [
    {
      target: { kind: 'account', name: `projects/${account}/serviceAccounts/${emailOf(id)}` },
      says: emailOf(id),
    },
  ];
  return {
    settings,
    where: { account, region, number },
    name,
    shortName,
    emailOf,
    topic,
    // The address that each function of a region and project has beside the one that Cloud Run gives it.
    // https://docs.cloud.google.com/functions/docs/securing/authenticating
    audienceOf: (functionName) => `${audiencePrefix({ account, region })}${functionName}`,
    ownBucket,
    codeBucket: shortName(`code-${account}`),
    dataBuckets,
    database,
    captures,
    secrets,
    secretsPrefix,
    agentOf: (service) => `serviceAccount:service-${number}@${service}.iam.gserviceaccount.com`,
    on: {
      project: [{ target: ofProject, says: `projects/${account}` }],
      // https://docs.cloud.google.com/firestore/docs/manage-databases, "Configure per-database access permissions"
      database: inProject(database, { title: 'the journal', expression: `resource.name == "${database}"` }),
      ownBucket: [bucket(ownBucket)],
      ...(Object.fromEntries(
        ownFolders.map((folder) => [
          `own/${folder}`,
          [{ ...bucket(ownBucket), folder, says: `gs://${ownBucket}/${folder}/` }],
        ]),
      ) as unknown as Readonly<Record<`own/${(typeof ownFolders)[number]}`, readonly Place[]>>),
      dataBuckets: dataBuckets.map(bucket),
      captures: [{ target: { kind: 'dataset', name: captures.dataset }, says: captures.dataset }],
      signals: publish('signals'),
      bus: publish('events'),
      // In conditions a secret is named by the number of its project.
      // https://docs.cloud.google.com/iam/docs/conditions-resource-attributes
      webhooks: inProject(secrets, {
        title: 'the secret of webhooks',
        expression: `resource.name.startsWith("projects/${number}/secrets/${name('webhooks')}/versions/")`,
      }),
      programSecrets: inProject(`projects/${account}/secrets/${secretsPrefix}*`, {
        title: 'secrets of configs',
        expression: `resource.name.startsWith("projects/${number}/secrets/${secretsPrefix}")`,
      }),
      jobAccount: actAs('jobs'),
      modelAccount: actAs('models'),
    },
  };
}

export const audiencePrefix = ({ account, region }: Pick<Where, 'account' | 'region'>): string =>
  `https://${region}-${account}.cloudfunctions.net/`;
