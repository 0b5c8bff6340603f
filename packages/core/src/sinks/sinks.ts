import { mlflow } from './mlflow.ts';
import type { Sink } from './sink.ts';
import { slack } from './slack.ts';
import { webhook } from './webhook.ts';

/** Every kind of receiver, by its name in the config. */
export const sinks = { webhook, slack, mlflow } satisfies Readonly<Record<string, Sink>>;
export type SinkKind = keyof typeof sinks;
