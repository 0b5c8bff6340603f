import { refusal } from '../shared/fields.ts';
import { metrics } from '../shared/metrics.ts';
import { alarmsOf } from './topology/alarms.ts';
import { byHandOf } from './topology/by-hand.ts';
import { costsOf } from './topology/costs.ts';
import { dashboardOf } from './topology/dashboard.ts';
import { functionsOf } from './topology/functions.ts';
import { imageCacheOf, placesOf } from './topology/places.ts';
import { laterOf, resourcesOf, staysOf } from './topology/resources.ts';
import { jobRole, modelRole } from './topology/roles.ts';
import { rulesOf } from './topology/rules.ts';
import { settingsProblems } from './topology/settings.ts';
import type { Network, Settings, Topology, Where } from './topology/shapes.ts';
import { alertTopicOf, bucketsOf, queuesOf, tableOf } from './topology/stores.ts';

export { callsOf, portsOf, withoutResource } from './topology/calls.ts';
export { readSettings, settingsOf } from './topology/settings.ts';
export type { Settings, Topology, Where } from './topology/shapes.ts';

/**
 * All that an installation consists of on AWS, as plain data; the CDK and SST render it, `serin plan` prints it.
 *
 * Everything is named, so every ARN is known before anything stands. Imports nothing but the files beside it and core's
 * rule for names. Throws with everything that is wrong with the settings: what it does not know, or would not deploy as
 * it is said, could leave an installation open that was meant to be closed.
 */
export function topology(settings: Settings, where: Where): Topology {
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw refusal('these settings cannot be deployed', problems);
  const places = placesOf(settings, where);
  const alarms = alarmsOf(places);
  const alertTopic = alertTopicOf(places);
  const network = settings.network === 'isolated' ? isolated(where.region) : undefined;
  const made = {
    functions: functionsOf(places),
    queues: queuesOf(places),
    table: tableOf(places),
    buckets: bucketsOf(places),
    bus: places.name('events'),
    rules: rulesOf(places),
    jobRole: jobRole(places),
    modelRole: modelRole(places),
    alarms,
    ...(settings.dashboard === false ? {} : { dashboard: dashboardOf(places) }),
    metrics: metrics.map(({ name }) => name),
    ...(alertTopic === undefined ? {} : { alertTopic }),
    ...(network === undefined ? {} : { network }),
    imageCache: imageCacheOf(settings),
    logDays: settings.logDays ?? 30,
    tags: { 'serin:project': settings.project, 'serin:environment': settings.environment },
    byHand: byHandOf(places),
    settings,
    costsAtRest: costsOf(settings, alarms.length, network),
  };
  return { ...made, resources: resourcesOf(made), stays: staysOf(made), later: laterOf(made) };
}

/**
 * Every service that the functions call has a door; there is no way to anything else. What SageMaker does for a job
 * (its image, its log, its files) it does from its own network, but for S3.
 */
const isolated = (region: string): Network => ({
  cidr,
  subnets: ['10.80.0.0/25', '10.80.0.128/25'],
  gateways: ['dynamodb', 's3'],
  interfaces: [
    'application-autoscaling',
    'events',
    'execute-api',
    'logs',
    'monitoring',
    'sagemaker.api',
    'sqs',
    'ssm',
  ].map((service) => interfaceOf(region, service)),
  apiInterface: interfaceOf(region, 'execute-api'),
  inside: {
    says: 'Serin: functions, jobs and models; HTTPS to the doors of the services, and among themselves',
    // Instances of one job talk to each other on any port.
    // https://docs.aws.amazon.com/sagemaker/latest/dg/train-vpc.html
    from: { cidr, says: 'this network' },
    to: { cidr: '0.0.0.0/0', says: 'there is no way out of this network' },
  },
});

const cidr = '10.80.0.0/24';
const interfaceOf = (region: string, service: string): string => `com.amazonaws.${region}.${service}`;
