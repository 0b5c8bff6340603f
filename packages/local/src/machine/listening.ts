import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener {
  readonly port: number;
  readonly isLoopback: boolean;
}

/** Where the processes of a group listen. Only where /proc is; elsewhere, and of what is not ours: none. */
export function listenersOf(group: number): readonly Listener[] {
  const sockets = listeningSockets();
  const inodes = processesOf(group).flatMap(socketsOf);
  return inodes.flatMap((inode) => sockets.get(inode) ?? []);
}

// https://man7.org/linux/man-pages/man5/proc_pid_net.5.html: addresses are hexadecimal, in words of the host's byte order.
const listening = '0A';

function listeningSockets(): ReadonlyMap<string, Listener> {
  const found = new Map<string, Listener>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of (tried(() => readFileSync(file, 'utf8')) ?? '').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state !== listening) continue;
      const [address = '', port = ''] = local.split(':');
      found.set(inode, { port: Number.parseInt(port, 16), isLoopback: isLoopbackAddress(address) });
    }
  return found;
}

/** 127.x.x.x, ::1, or 127.x.x.x as an address of version 6. */
const isLoopbackAddress = (hex: string): boolean =>
  /^(?:0000000000000000FFFF0000)?[0-9A-F]{6}7F$/.test(hex) || hex === '00000000000000000000000001000000';

function processesOf(group: number): readonly string[] {
  return (tried(() => readdirSync('/proc')) ?? []).filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const stat = tried(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === group;
  });
}

const socketsOf = (pid: string): readonly string[] =>
  (tried(() => readdirSync(`/proc/${pid}/fd`)) ?? []).flatMap((fd) => {
    const link = tried(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '';
    return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [];
  });

/** /proc changes while it is read, and shows little of other users' processes. */
function tried<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
