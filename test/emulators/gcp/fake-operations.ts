import { type Handlers, Refusal, type Request, type Rpc } from './discovery.ts';

/** The number of a code. https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const numbers: Readonly<Partial<Record<Rpc, number>>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
};

export const minute = 60_000;
export const location = 'projects/123456789012/locations/europe-west4';
export const lastPart = (name: string): string => name.replace(/^.*\//, '');
export const instantOf = (at: number): string => new Date(at).toISOString();

interface Operation {
  readonly name: string;
  readonly type: string;
  readonly beganAt: number;
  endsAt: number;
  /** What it brings about; throws a `Refusal` when it fails. */
  readonly lands: () => object;
  /** It is over, whatever came of it. */
  readonly over: () => void;
  ended?: { readonly response: object } | { readonly error: { readonly code: number; readonly message: string } };
}

const v1 = 'type.googleapis.com/google.cloud.aiplatform.v1';

/**
 * Long-running operations of Vertex AI: each has an effect when it ends, and not before. An operation does not say what it is
 * for: its name has the resource, its metadata only times. `forget` is a guess: how long Google keeps a name is not said.
 */
export function fakeOperations(now: () => number) {
  const operations = new Map<string, Operation>();
  const ordered: { error?: Refusal; never?: boolean; lateMs?: number }[] = [];

  /** Lets all that is due end, in its order. */
  function settle(): void {
    const due = [...operations.values()].filter(({ ended, endsAt }) => ended === undefined && endsAt <= now());
    for (const operation of due.sort((a, b) => a.endsAt - b.endsAt)) {
      operation.over();
      try {
        operation.ended = { response: operation.lands() };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        operation.ended = { error: { code: numbers[error.rpc] ?? 2, message: error.message } };
      }
    }
  }

  function shown({ name, type, beganAt, endsAt, ended }: Operation): object {
    const updateTime = instantOf(ended === undefined ? beganAt : endsAt);
    return {
      name,
      metadata: {
        '@type': `${v1}.${type}OperationMetadata`,
        genericMetadata: { createTime: instantOf(beganAt), updateTime },
      },
      ...(ended === undefined ? {} : { done: true, ...ended }),
    };
  }

  function get({ params }: Request): object {
    settle();
    const found = operations.get(params.name ?? '');
    if (found === undefined) throw new Refusal('NOT_FOUND', `Operation ${params.name} is not found.`);
    return shown(found);
  }

  return {
    settle,
    begin(resource: string, type: string, takesMs: number, lands: () => object, over: () => void = () => {}): object {
      settle();
      const name = `${location}/${resource}/operations/${operations.size + 1}`;
      const { error, never = false, lateMs = 0 } = ordered.shift() ?? {};
      const fails = (): never => {
        throw error;
      };
      const endsAt = never ? Number.POSITIVE_INFINITY : now() + takesMs + lateMs;
      const how = { lands: error === undefined ? lands : fails, over };
      const operation: Operation = { name, type, beganAt: now(), endsAt, ...how };
      operations.set(name, operation);
      settle();
      return shown(operation);
    },
    /** How the next operation that is begun goes. */
    next: (how: (typeof ordered)[number]) => void ordered.push(how),
    forget: () => operations.clear(),
    handlers: {
      'aiplatform.projects.locations.endpoints.operations.get': get,
      'aiplatform.projects.locations.models.operations.get': get,
    } satisfies Handlers,
  };
}

export type FakeOperations = ReturnType<typeof fakeOperations>;
