import type { Json } from '../base/json.ts';

/** CloudEvents 1.0, JSON format. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** `<stream>/<sequence number of the entry>/<index in the entry>` */
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Json;
}

export interface Bus {
  /** At least once, in order per stream; receivers drop duplicates by `id`. Resolves when all are durable. */
  publish(events: readonly CloudEvent[]): Promise<void>;
}
