import { join } from 'node:path';
import { paths } from '../installed.ts';

/** A function by which Microsoft's client reads a body from the wire. */
type Reader = (body: unknown) => unknown;

/** Files of the package: what reads bodies is not among its exports. */
async function readersIn(npm: string, file: string): Promise<(name: string) => Reader> {
  const whole = join(paths.azureFunctions, 'node_modules', '@azure', npm, 'dist', 'esm', 'models', file);
  const exported = (await import(whole)) as Readonly<Record<string, Reader>>;
  return (name) => {
    const reader = exported[name];
    if (reader === undefined) throw new Error(`@azure/${npm} has no ${name} in ${file}`);
    return reader;
  };
}

const monitor = 'arm-monitor';
const [metrics, autoscale, diagnostics, logs] = await Promise.all([
  readersIn(monitor, join('metricsApi', 'models.js')),
  readersIn(monitor, join('autoScaleApi', 'models.js')),
  readersIn(monitor, join('diagnosticsSettings', 'models.js')),
  readersIn('monitor-query-logs', 'models.js'),
]);

const readers = {
  metrics: metrics('responseDeserializer'),
  autoscaleSetting: autoscale('autoscaleSettingResourceDeserializer'),
  diagnosticSetting: diagnostics('diagnosticSettingsResourceDeserializer'),
  logs: logs('queryResultsDeserializer'),
  query: logs('queryBodySerializer'),
} as const;

/**
 * What is wrong with a body by Microsoft's own client: it cannot read it, does not read a key of it, or makes no time of
 * a text. An object that the client hands on as it is, is not looked into.
 */
export function* clientProblems(of: keyof typeof readers, body: unknown): Generator<string> {
  const seen = new Watch();
  try {
    yield* badTimes(readers[of](seen.watched(body, '')), '');
  } catch (error) {
    yield `Microsoft's client cannot read it: ${(error as Error).message}`;
  }
  yield* seen.unread();
}

interface Looked {
  readonly at: string;
  readonly keys: readonly string[];
  readonly read: Set<string>;
}

/** Notes which keys of a body are read. */
class Watch {
  readonly #objects: Looked[] = [];

  watched(value: unknown, at: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const looked: Looked = { at, keys: Array.isArray(value) ? [] : Object.keys(value), read: new Set() };
    this.#objects.push(looked);
    return new Proxy(value, {
      get: (target, key) => {
        looked.read.add(String(key));
        const inner: unknown = Reflect.get(target, key);
        return Object.hasOwn(target, key) ? this.watched(inner, `${at}.${String(key)}`) : inner;
      },
    });
  }

  *unread(): Generator<string> {
    for (const { at, keys, read } of this.#objects)
      if (keys.some((key) => read.has(key)))
        for (const key of keys) if (!read.has(key)) yield `${at}.${key}: Microsoft's client has no such key`;
  }
}

function* badTimes(value: unknown, at: string): Generator<string> {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) yield `${at}: it is not a time`;
  } else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value)) yield* badTimes(inner, `${at}.${key}`);
}
