import type { Code } from '../bundle.ts';
import { type Settings, topology } from '../topology.ts';
import { renderFunctions } from './functions.ts';
import { renderNetwork } from './network.ts';
import type { Platform, Pulumi } from './pulumi.ts';
import { renderBuckets, renderQueues, renderShared, renderTable } from './stores.ts';
import { renderAlarms, renderDashboard, renderRules } from './watch.ts';

/**
 * One installation of Serin, rendered by SST from the same topology as the CDK; answers where its API is.
 *
 * It makes the provider's own resources, none of SST's components: those bring roles and policies of their own.
 */
export async function serin(
  platform: Platform,
  settings: Settings,
  code: Code,
): Promise<{ readonly address: Pulumi.Output<string> | undefined }> {
  const { aws } = platform;
  const [identity, region, partition, lambdaConcurrency] = await Promise.all([
    aws.getCallerIdentity(),
    aws.getRegion(),
    aws.getPartition(),
    concurrencyOf(platform),
  ]);
  const where = {
    partition: partition.partition,
    region: region.region,
    account: identity.accountId,
    urlSuffix: partition.dnsSuffix,
    ...(lambdaConcurrency === undefined ? {} : { lambdaConcurrency }),
  };
  const around = { ...platform, topology: topology(settings, where), code, where };
  const network = await renderNetwork(around);
  const queues = renderQueues(around);
  renderTable(around);
  renderBuckets(around);
  renderShared(around, queues);
  const address = renderFunctions({ ...around, queues, network });
  renderRules(around, queues);
  renderAlarms(around);
  renderDashboard(around);
  return { address };
}

/** What Lambda lets this account run at once; `undefined` for whoever may not ask. */
async function concurrencyOf({ aws }: Platform): Promise<number | undefined> {
  try {
    const { value } = await aws.servicequotas.getServiceQuota({ serviceCode: 'lambda', quotaCode: 'L-B99A9384' });
    return value;
  } catch {
    return undefined;
  }
}
