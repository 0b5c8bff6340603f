import { Fault } from '@serin/core/base/fault';
import { canonical } from '@serin/core/base/json';
import type { Observation, Operation, Serving } from '@serin/core/ports/serving';
import { writesInTime } from '@serin/platform/serving';
import type { MemoryServing, Shares } from './serving.ts';

interface Options {
  readonly provider: MemoryServing;
  /** The clock of the process. */
  readonly now: () => number;
  /** Makes one call; a write says what it is for. Any of them may get lost, come late, or be the last of its process. */
  readonly call: <Result>(name: string, apply: () => Result, writes?: Operation) => Promise<Result>;
}

type Write = (name: string, apply: () => 'accepted' | 'busy') => Promise<'accepted' | 'busy'>;

/**
 * `Serving` over endpoints and deployments that are put by name, by the rules of the platform: what is there is read, in two
 * calls, and then one write is made. Between any two of the calls anything may happen.
 */
export function putServing({ provider, now, call }: Options): Serving {
  async function look(endpoint: string): Promise<Observation | 'absent'> {
    const hosted = await call('serving.endpoint', () => {
      const seen = provider.observe(endpoint);
      return seen === 'absent' ? seen : { ...seen, busy: provider.changing(endpoint) === 'endpoint' };
    });
    if (hosted === 'absent') return hosted;
    const listed = await call('serving.deployments', () => {
      const seen = provider.observe(endpoint);
      return { seen, busy: provider.changing(endpoint) === 'deployment' };
    });
    const deployments = listed.seen === 'absent' ? [] : listed.seen.deployments;
    return { ...hosted, deployments, busy: hosted.busy || listed.busy };
  }

  /** The write for what is wanted; absent: nothing has to be written. */
  function writeOf(endpoint: string, operation: Operation, seen: Observation | 'absent') {
    if (operation.kind === 'deploy' && seen === 'absent')
      return (write: Write) => write('serving.put', () => provider.put(endpoint, { weights: {} }));
    if (seen === 'absent') return undefined;
    if (operation.kind !== 'weigh')
      return (write: Write) => write(`serving.${operation.kind}`, () => provider.change(endpoint, operation));
    checkReady(endpoint, operation, seen);
    const shares = sharesOf(operation);
    if (canonical(shares) === canonical(sharesOf(seen))) return undefined;
    return (write: Write) => write('serving.put', () => provider.put(endpoint, shares));
  }

  return {
    async change(endpoint, operation) {
      const checkTime = writesInTime(endpoint, now);
      const seen = await look(endpoint);
      if (seen !== 'absent' && seen.busy) return 'busy';
      const written = writeOf(
        endpoint,
        operation,
        seen,
      )?.((name, apply) => {
        checkTime();
        return call(name, apply, operation);
      });
      return (await written) ?? 'accepted';
    },

    observe: look,
  };
}

/** No request goes to a deployment that is not ready. */
function checkReady(endpoint: string, { weights, mirror }: Shares, { deployments }: Observation): void {
  const held = Object.keys(weights).filter((name) => (weights[name] ?? 0) > 0);
  for (const name of [...held, ...(mirror === undefined ? [] : [mirror.deployment])])
    if (deployments.find((deployment) => deployment.name === name)?.status !== 'ready')
      throw new Fault('invalid', `${endpoint}: '${name}' is not ready`);
}

const sharesOf = ({ weights, mirror }: Shares): Shares => ({ weights, ...(mirror === undefined ? {} : { mirror }) });
