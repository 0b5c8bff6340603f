import type { Observation, Operation, ServingKind } from '../../ports/serving.ts';

/** What an endpoint hears from outside, what it orders, and what answers. */
export interface EndpointProtocol {
  readonly signal: { readonly type: 'endpointHinted' };
  readonly order: /** `falling`: takes traffic away from a candidate, and is never kept waiting. */
    | {
        readonly kind: 'change';
        readonly endpoint: string;
        readonly operation: Operation;
        readonly falling: boolean;
        readonly on?: ServingKind;
      }
    | { readonly kind: 'observe'; readonly endpoint: string; readonly on?: ServingKind };
  readonly answer:
    | { readonly type: 'endpointChanged'; readonly answer: 'accepted' | 'busy' }
    | { readonly type: 'endpointObserved'; readonly begunAt: number; readonly observation: Observation | 'absent' };
}
