import { variablesOf } from '@serin/core/job-contract/variables';
import { type Placed, placesOf, treeAt } from './jobs/tree.ts';

const host = 'algo-1';
const network = 'lo';

/**
 * The whole environment of a job: the variables of the contract over one tree of directories, and nothing of the server's
 * but what is `inherited`. Its secrets are not among it, for this is written down.
 */
export function trainingEnvironment(placed: Placed): Readonly<Record<string, string>> {
  const { job, id, machine, tracking } = placed;
  const tree = treeAt(placed.root);
  const { input, config } = configFiles(placed);
  return {
    LANG: 'C.UTF-8',
    ...machine.inherited,
    HOME: tree.home,
    TMPDIR: tree.temporary,
    SAGEMAKER_BASE_DIR: tree.root,
    ...variablesOf({
      ...{ job, name: id, places: placesOf(placed), ...(tracking === undefined ? {} : { tracking }) },
      computer: { instanceType: 'local', region: 'local', cpus: machine.cpus, gpus: machine.gpus, network },
      more: { input_data_config: input, resource_config: config },
    }),
  };
}

/** The contents of `input/config`; hyperparameters are strings there. */
export function configFiles({ job, checkpoints }: Placed) {
  const group = { instance_group_name: 'homogeneousCluster', instance_type: 'local', hosts: [host] };
  return {
    input: Object.fromEntries(
      Object.keys(job.channels).map((name) => [
        name,
        { TrainingInputMode: 'File', S3DistributionType: 'FullyReplicated', RecordWrapperType: 'None' },
      ]),
    ),
    config: {
      current_host: host,
      current_instance_type: 'local',
      current_group_name: 'homogeneousCluster',
      hosts: [host],
      instance_groups: [group],
      network_interface_name: network,
    },
    output: job.checkpoints === undefined ? undefined : { LocalPath: checkpoints },
  };
}
