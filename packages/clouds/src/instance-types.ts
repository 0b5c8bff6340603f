import { Fault } from '@serin/core/base/fault';
import type { Accelerator, PartUse } from '@serin/core/config/parts';
import type { Cloud } from './facts.ts';

export interface InstanceType {
  /** As the cloud's calls want it. */
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGb: number;
  readonly accelerator?: {
    readonly type: string;
    readonly count: number;
    readonly memoryGbEach: number;
    /** Where the cloud names the accelerator apart from the instance type. */
    readonly providerType?: string;
    /** How its chips are arranged, where the cloud asks for that. */
    readonly topology?: string;
  };
  /** Where the vendor counts its quotas by something else than the name: the family, or the accelerator. */
  readonly countedAs?: string;
  /** Where the name and what it can be used for were read, and when. */
  readonly source: string;
  readonly asOf: string;
}

/** An instance type of a cloud's table, and what the cloud takes it for. */
export interface Row extends Omit<InstanceType, 'source' | 'asOf'> {
  readonly uses: readonly PartUse[];
}

/** The instance types of a cloud, all of one source. */
export interface InstanceTypes {
  readonly cloud: Cloud;
  readonly source: string;
  readonly asOf: string;
  /** What is taken where no accelerator is asked for. */
  readonly plain: Row;
  readonly rows: readonly Row[];
}

export const everyUse: readonly PartUse[] = ['train', 'process', 'serve'];

export const row = (
  name: string,
  [vcpus, memoryGb]: readonly [number, number],
  [type, count, memoryGbEach, providerType]: readonly [string, number, number, string?],
  {
    uses = everyUse,
    countedAs,
    topology,
  }: Partial<Pick<Row, 'uses' | 'countedAs'>> & { readonly topology?: string } = {},
): Row => ({
  name,
  vcpus,
  memoryGb,
  accelerator: {
    ...{ type, count, memoryGbEach },
    ...(providerType === undefined ? {} : { providerType }),
    ...(topology === undefined ? {} : { topology }),
  },
  ...(countedAs === undefined ? {} : { countedAs }),
  uses,
});

/** What another cloud has in its place: the same chip generation and memory. */
const aliases: Readonly<Record<string, string>> = { A10G: 'A10', A10: 'A10G' };

/**
 * The smallest instance type of a cloud that has at least so many accelerators of this type, and may be used so; without
 * an accelerator the cloud's default.
 *
 * Smallest: fewest accelerators, then least memory of each, then fewest processors; within a family that is the
 * cheapest one. It may have more accelerators than were asked for: 1 A100 on AWS comes as 8. Throws an `invalid` Fault
 * that names what is possible.
 */
export function instanceTypeFor(table: InstanceTypes, use: PartUse, accelerator?: Accelerator): InstanceType {
  const { source, asOf, plain } = table;
  const { uses: _, ...found } = accelerator === undefined ? plain : smallestFitting(table, use, accelerator);
  return { ...found, source, asOf };
}

function smallestFitting({ cloud, rows }: InstanceTypes, use: PartUse, { type, count }: Accelerator): Row {
  const ofType = rows.filter((candidate) => isOfType(candidate, type));
  if (ofType.length === 0) throw new Fault('invalid', `${cloud} has no accelerator ${type}; use ${typesOf(rows)}`);
  const usable = ofType.filter(({ uses }) => uses.includes(use));
  if (usable.length === 0)
    throw new Fault('invalid', `${cloud} cannot ${use} on ${namesOf(ofType)}; use ${typesOf(rows, use)}`);
  const [smallest] = usable.filter((candidate) => countOf(candidate) >= count).sort(bySize);
  if (smallest === undefined) {
    const most = Math.max(...usable.map(countOf));
    const more = use === 'train' ? ', or more compute.nodes' : '';
    throw new Fault(
      'invalid',
      `one instance of ${cloud} has no ${count} ${type} to ${use} on; use at most ${most}${more}`,
    );
  }
  return smallest;
}

const countOf = ({ accelerator }: Row): number => accelerator?.count ?? 0;

const bySize = (one: Row, other: Row): number =>
  countOf(one) - countOf(other) ||
  (one.accelerator?.memoryGbEach ?? 0) - (other.accelerator?.memoryGbEach ?? 0) ||
  one.vcpus - other.vcpus;

function isOfType({ accelerator }: Row, wanted: string): boolean {
  const [, type = wanted, least = '0'] = /^(.*?)-(\d+)GB$/.exec(wanted) ?? [];
  const same = accelerator?.type === type || accelerator?.type === aliases[type];
  return same && accelerator !== undefined && accelerator.memoryGbEach >= Number(least);
}

const namesOf = (rows: readonly Row[]): string => rows.map(({ name }) => name).join(', ');

/** What could be asked for: `T4 (1, 4), A100 (8)`. */
function typesOf(rows: readonly Row[], use?: PartUse): string {
  const counts = new Map<string, Set<number>>();
  for (const { accelerator, uses } of rows) {
    if (accelerator === undefined || (use !== undefined && !uses.includes(use))) continue;
    counts.set(accelerator.type, (counts.get(accelerator.type) ?? new Set()).add(accelerator.count));
  }
  return [...counts].map(([type, sizes]) => `${type} (${[...sizes].join(', ')})`).join(', ');
}
