import type { ModelSignal } from '../model/protocol.ts';
import type { ProjectStreamSignal } from '../project/project.ts';

/** What a signal came to. All but `refused` are durable, or need not be. */
export type Outcome =
  | { readonly kind: 'moved'; readonly seq: number; readonly because?: string }
  | { readonly kind: 'ignored'; readonly because: string }
  | { readonly kind: 'repeated'; readonly because: string }
  | { readonly kind: 'refused'; readonly because: string };

export type Signal = ModelSignal | ProjectStreamSignal;
