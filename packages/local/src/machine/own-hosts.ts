import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { OwnNames } from '@serin/api/doors';

export const isLoopback = (host: string): boolean => ['127.0.0.1', 'localhost', '::1'].includes(host);

/**
 * What a request may call this server in its `Host`, in lower case.
 *
 * On loopback its addresses with its port. Beyond it also any address, for a name can be pointed here by anybody and an
 * address cannot, and the name of the machine; ports then, for one may be published as another. `named` (`host[:port]`)
 * is what the operator adds.
 */
export function ownHosts(listensOn: string, port: () => number, named: readonly string[]): OwnNames {
  const added = new Set(named.map((name) => name.toLowerCase()));
  const loopback = ['127.0.0.1', 'localhost', '[::1]'];
  const machine = new Set(['localhost', hostname().toLowerCase()]);
  const isNamed = (host: string): boolean => added.has(host);
  const isOwn = (host: string): boolean => {
    if (isNamed(host) || loopback.some((name) => host === `${name}:${port()}`)) return true;
    if (isLoopback(listensOn)) return false;
    const name = host.replace(/:\d+$/, '');
    return machine.has(name) || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
  };
  return { isOwn, isNamed };
}
