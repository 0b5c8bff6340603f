import { type Topology, topology } from '../../../infra/aws/topology.ts';
import type { Forwarded } from './provider.ts';

type FunctionId = Topology['functions'][number]['id'];

interface Names {
  readonly installation: { readonly project: string; readonly environment: string };
  readonly own: string;
  readonly drops: string;
}

/**
 * What the functions do in S3 and SSM, held against the roles that they are deployed with: no emulator asks for permissions.
 *
 * Functions run one after the other here, so a request is of the one that runs.
 */
export function rolesIn({ installation, own, drops }: Names) {
  const where = { partition: 'aws', region: 'eu-west-1', account: '123456789012', urlSuffix: 'amazonaws.com' };
  const settings = { ...installation, version: '0.0.0', adminTokenHash: '0'.repeat(64), dataBuckets: [drops] };
  const { functions, buckets } = topology(settings, where);
  const { environment: variables = {} } = functions.find(({ id }) => id === 'signals') ?? {};
  const done = new Set<string>();
  const refused = new Set<string>();
  let running: FunctionId | undefined;

  const isAllowed = (action: string, resource: string): boolean =>
    (functions.find(({ id }) => id === running)?.role.statements ?? []).some(
      ({ actions, resources }) => actions.includes(action) && resources.some((each) => fits(each, resource)),
    );

  function seesParameters(operation: string, body: string): void {
    const { Name, Names = [Name] } = JSON.parse(body) as { readonly Name?: string; readonly Names?: readonly string[] };
    done.add(`${running} ssm:${operation}`);
    for (const name of Names)
      if (!isAllowed(`ssm:${operation}`, `arn:aws:ssm:eu-west-1:123456789012:parameter${name}`))
        refused.add(`${running}: ssm:${operation} on ${name}`);
  }

  return {
    /** The variables that the functions are deployed with. */
    variables,
    /** `<function> <action> <folder>` of each request that was made. */
    done: (): readonly string[] => [...done].toSorted(),
    /** Requests that the role of their function does not allow. */
    refused: (): readonly string[] => [...refused],
    async as<Answer>(id: FunctionId, run: () => Promise<Answer>): Promise<Answer> {
      running = id;
      return run().finally(() => {
        running = undefined;
      });
    },
    sees({ method, url, target, body }: Forwarded): void {
      if (running !== undefined && target.startsWith('AmazonSSM.'))
        seesParameters(target.replace('AmazonSSM.', ''), body);
      const [, bucket = '', key = ''] = /^\/([^/?]+)\/?([^?]*)/.exec(url) ?? [];
      if (running === undefined || (bucket !== own && bucket !== drops)) return;
      const resource = [`arn:aws:s3:::${bucket === own ? buckets[0]?.name : bucket}`, ...(key === '' ? [] : [key])];
      const action = actionOf(method, key);
      done.add(`${running} ${action} ${bucket === own ? 'own' : 'data'} ${key.split('/')[0]}`.trim());
      if (!isAllowed(action, resource.join('/'))) refused.add(`${running}: ${action} on ${bucket}/${key}`);
    },
  };
}

function actionOf(method: string, key: string): string {
  if (key === '') return method === 'GET' ? 's3:ListBucket' : `${method} of a bucket`;
  return { GET: 's3:GetObject', HEAD: 's3:GetObject', PUT: 's3:PutObject' }[method] ?? `${method} of an object`;
}

const fits = (allowed: string, resource: string): boolean =>
  allowed.endsWith('*') ? resource.startsWith(allowed.slice(0, -1)) : resource === allowed;
