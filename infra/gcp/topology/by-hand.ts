import { apis } from './apis.ts';
import { nodeImageOf, type Places } from './places.ts';
import type { Topology } from './shapes.ts';

type ByHand = Topology['byHand'];

/** What no tool does for the owner, each with its command. */
export function byHandOf(places: Places): ByHand {
  const { where, name, secretsPrefix, settings } = places;
  const { account, region } = where;
  const place = `--project=${account}`;
  return [
    {
      what: 'the Google project must have a billing account, before the first deployment',
      command: `gcloud billing projects link ${account} --billing-account=<account>`,
    },
    {
      what: 'whoever deploys must be logged in, and must be an owner of the Google project or may create all that is listed above',
      command: `gcloud auth application-default login && gcloud auth application-default set-quota-project ${account}`,
    },
    {
      what: 'the APIs by which all others are enabled, before the first deployment',
      command: `gcloud services enable cloudresourcemanager.googleapis.com iam.googleapis.com serviceusage.googleapis.com ${place}`,
    },
    {
      what: 'the bucket in which a team keeps the state of SST, once for each Google project, before the first deployment',
      command: `gcloud storage buckets create gs://${stateBucketOf(account)} --location=${region} --uniform-bucket-level-access --public-access-prevention ${place} && gcloud storage buckets update gs://${stateBucketOf(account)} --versioning`,
    },
    {
      what: 'everybody may call the API, which asks for tokens of its own, and "api": "internal" closes its network alone: where a policy of your organization lets in nobody from outside (iam.allowedPolicyMemberDomains), have it lifted for this Google project, before the first deployment; this shows the policy',
      command: `gcloud org-policies describe iam.allowedPolicyMemberDomains ${place} --effective`,
    },
    ...elsewhere(places),
    {
      what: `for jobs without an image, splitting among them: the stock image of Node is pulled from Docker Hub by the first job; this pulls it before, and shows whether that works`,
      command: `gcloud auth configure-docker ${region}-docker.pkg.dev && docker pull ${nodeImageOf(places)}`,
    },
    {
      what: 'for alert policies of yours on a model: name the channel of Serin in them, and the model in user labels where they do not watch its endpoint (docs/gcp.md); this shows the channel',
      command: `gcloud beta monitoring channels list --filter='displayName="${name('signals')}"' ${place}`,
    },
    ...(settings.alertEmail === undefined && settings.notify === undefined
      ? [
          {
            what: 'no one is told of an alarm of Serin itself yet: name an address, "alertEmail", or a channel, "notify", in serin.gcp.json, and deploy again; this shows the channels that there are',
            command: `gcloud beta monitoring channels list ${place}`,
          },
        ]
      : []),
    {
      what: 'for incoming webhooks: their secrets, several of each while one is replaced',
      command: secretCommand(places, name('webhooks'), { file: '-', feed: `printf '{"github":[],"standard":[]}' | ` }),
    },
    {
      what: "for secrets that a config names ({ secret: 'name' }): each of them, before it is used",
      command: secretCommand(places, `${secretsPrefix}<name>`, { file: '<file>' }),
    },
    {
      what: 'for a perimeter of VPC Service Controls: these services belong into it, and "sharedEndpoints": true into serin.gcp.json',
      command: `gcloud access-context-manager perimeters update <perimeter> --add-resources=projects/${where.number} --add-restricted-services=${apis.join()}`,
    },
  ];
}

/**
 * gcloud takes a key with a new secret only where Google chooses the regions, and encrypts only the versions that are
 * added under the key. https://docs.cloud.google.com/sdk/gcloud/reference/secrets/create
 */
function secretCommand(
  { settings: { kmsKey }, where: { account, region } }: Places,
  secret: string,
  { file, feed = '' }: { readonly file: string; readonly feed?: string },
): string {
  const place = `--project=${account}`;
  const create = `gcloud secrets create ${secret}`;
  const kept = `--replication-policy=user-managed --locations=${region} ${place}`;
  if (kmsKey === undefined) return `${feed}${create} --data-file=${file} ${kept}`;
  return [
    `${create} ${kept}`,
    `gcloud secrets replication update ${secret} --set-kms-key=${kmsKey} --location=${region} ${place}`,
    `${feed}gcloud secrets versions add ${secret} --data-file=${file} ${place}`,
  ].join(' && ');
}

/** SST keeps a state on this computer; `serin deploy` fetches it from there, and brings it back. */
export const stateBucketOf = (account: string): string => `serin-state-${account}`;

/** A role of this project cannot be given on what lies in another, and its owner alone makes it tell our topic. */
function elsewhere({ settings, topic, emailOf, where }: Places): ByHand {
  const foreign = settings.dataBuckets.filter((each) => settings.foreignBuckets?.includes(each));
  const grant = (bucket: string, account: string, role: string): string =>
    `gcloud storage buckets add-iam-policy-binding gs://${bucket} --member=serviceAccount:${emailOf(account)} --role=roles/storage.${role}`;
  return [
    ...(settings.dataBuckets.length === foreign.length
      ? []
      : [
          {
            what: 'a data bucket that lies in another Google project: name it in "foreignBuckets" in serin.gcp.json, and this plan says what its owner does; this shows the buckets of this one',
            command: `gcloud storage buckets list --format='value(name)' --project=${where.account}`,
          },
        ]),
    ...foreign.map((bucket) => ({
      what: `after the first deployment, the owner of ${bucket} lets signals and jobs read it and the API list it, and makes it tell the topic of signals`,
      command: [
        grant(bucket, 'signals', 'objectViewer'),
        grant(bucket, 'jobs', 'objectViewer'),
        // Of Google's roles the one that lists objects and reads none.
        grant(bucket, 'api', 'legacyBucketReader'),
        `gcloud pubsub topics add-iam-policy-binding ${topic('signals')} --member="serviceAccount:$(gcloud storage service-agent --project=<its project>)" --role=roles/pubsub.publisher --project=${where.account}`,
        `gcloud storage buckets notifications create gs://${bucket} --topic=${topic('signals')} --event-types=OBJECT_FINALIZE --payload-format=json --skip-topic-setup`,
      ].join(' && '),
    })),
  ];
}
