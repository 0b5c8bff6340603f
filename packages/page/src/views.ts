import type { html } from 'hono/html';
import type { Caller } from './frame.ts';
import type { Look } from './look.ts';
import { compare } from './views/compare.ts';
import { datasets, labels } from './views/data-lists.ts';
import { deadLetter, deadLetters } from './views/letters.ts';
import { models, rollouts, runs, versions } from './views/lists.ts';
import { model } from './views/model.ts';
import { audit, events, freezes, tokens } from './views/operate.ts';
import { overview } from './views/overview.ts';
import { rollout } from './views/rollout.ts';
import { run } from './views/run.ts';
import { version } from './views/version.ts';

export type Html = ReturnType<typeof html>;

/** What a page says: its title, one sentence that a person could read aloud, and the rest. */
export interface Screen {
  readonly title: string;
  readonly sentence: string;
  readonly main: Html;
  /** Which kind of page: its link in the navigation is marked. */
  readonly section?: string;
  /** It does not change by itself, or is too dear to be made again and again. */
  readonly isStill?: boolean;
}

/** What a view is made from. */
export interface Given {
  readonly look: Look;
  readonly caller: Caller;
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A link to a path of the page, or of the API. */
  readonly to: (path: string) => string;
}

export type View = (given: Given) => Promise<Screen>;

/** Every page there is, by its path; `{name}` stands for one segment. */
const views: Readonly<Record<string, View>> = {
  '/': overview,
  '/models': models,
  '/models/{model}': model,
  '/models/{model}/compare': compare,
  '/models/{model}/versions/{number}': version,
  '/versions': versions,
  '/runs': runs,
  '/runs/{id}': run,
  '/rollouts': rollouts,
  '/rollouts/{id}': rollout,
  '/datasets': datasets,
  '/labels': labels,
  '/events': events,
  '/dead-letters': deadLetters,
  '/dead-letters/{id}': deadLetter,
  '/freezes': freezes,
  '/audit': audit,
  '/tokens': tokens,
};

/** The view of a path, with what its segments say. */
export function viewOf(
  path: string,
): { readonly show: View; readonly params: Readonly<Record<string, string>> } | undefined {
  const asked = path.split('/');
  for (const [pattern, show] of Object.entries(views)) {
    const params = paramsOf(pattern.split('/'), asked);
    if (params !== undefined) return { show, params };
  }
  return undefined;
}

function paramsOf(pattern: readonly string[], asked: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== asked.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const text = asked[at] ?? '';
    if (name === undefined) {
      if (part !== text) return undefined;
      continue;
    }
    const value = decoded(text);
    if (value === undefined || value === '') return undefined;
    params[name] = value;
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
