import { Aws, CfnOutput, Tags } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bundle, type Code } from '../bundle.ts';
import { type Settings, type Topology, topology } from '../topology.ts';
import { acknowledge } from './acknowledged.ts';
import { renderAlarms, renderDashboard, renderRules } from './alarms.ts';
import { renderFunctions } from './functions.ts';
import { renderNetwork } from './network.ts';
import { renderRole } from './roles.ts';
import { renderBucket, renderBus, renderImageCache, renderQueues, renderTable, renderTopic } from './stores.ts';

export interface SerinProps extends Settings {
  /** Folders with the code of the functions; absent: bundled now, from functions/aws. */
  readonly code?: Code;
}

/**
 * One installation of Serin in a stack of yours: a class, for that is what the CDK builds from.
 *
 * Its resources are named, so an account and region hold one of each (project, environment). Table and buckets stay
 * when the stack goes. All that it makes is said by `topology.ts`.
 */
export class Serin extends Construct {
  readonly topology: Topology;
  /** Where the API answers. */
  readonly address: string;

  constructor(scope: Construct, id: string, { code = bundle(), ...settings }: SerinProps) {
    super(scope, id);
    const made = topology(settings, {
      partition: Aws.PARTITION,
      region: Aws.REGION,
      account: Aws.ACCOUNT_ID,
      urlSuffix: Aws.URL_SUFFIX,
    });
    this.topology = made;
    const queues = renderQueues(this, made.queues);
    const network = renderNetwork(this, made);
    renderTable(this, made.table, settings.kmsKey);
    for (const bucket of made.buckets) renderBucket(this, bucket, settings.kmsKey);
    renderBus(this, made);
    renderImageCache(this, made);
    renderRole(this, 'JobRole', made.jobRole);
    renderRole(this, 'ModelRole', made.modelRole);
    if (made.alertTopic !== undefined) renderTopic(this, made.alertTopic, queues);
    this.address = renderFunctions(this, { topology: made, code, queues, network });
    renderRules(this, made, queues);
    renderAlarms(this, made);
    renderDashboard(this, made);
    for (const [key, value] of Object.entries(made.tags)) Tags.of(this).add(key, value);
    new CfnOutput(this, 'Address', { value: this.address, description: 'the API of Serin' });
    acknowledge(this, made);
  }
}
