import { Refusal, Reply, type Request, type Routes } from './rest.ts';

/** How an operation goes, where it does not go well. */
interface Turn {
  /** It ends so much later. */
  readonly lateMs?: number;
  /** It ends without its effect, and says this. */
  readonly error?: { readonly code: string; readonly message: string };
  /** As `error`, with the status `Canceled`. */
  readonly canceled?: boolean;
  readonly never?: boolean;
  /** Its effect comes, and nobody is told how it ended: its URL is not found. */
  readonly lost?: boolean;
}

interface Operation {
  readonly name: string;
  readonly beganAt: number;
  readonly endsAt: number;
  readonly turn: Turn;
  readonly lands: () => unknown;
  readonly over: () => void;
  ended?: End;
}

type End = { readonly resource: unknown } | { readonly error: { readonly code: string; readonly message: string } };

interface Begun {
  /** Who asked: its subscription, and under which URL it is answered. */
  readonly request: Request;
  readonly region: string;
  /** `odidp` of an online deployment, `oeidp` of an endpoint: what Azure ML's ids begin with. */
  readonly kind?: string;
  readonly takesMs: number;
  /** What it brings about, and the resource as it then is; throws a `Refusal` when it fails. */
  readonly lands: () => unknown;
  /** It is over, whatever came of it. */
  readonly over?: () => void;
  readonly retryAfterSeconds?: number;
}

const instantOf = (at: number): string => new Date(at).toISOString();

/**
 * Long-running operations of Azure Resource Manager, in both forms. Each has its effect when it ends, and not before.
 *
 * Forms: https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations. The path is the one that
 * resources of Azure ML have in `properties.AzureAsyncOperationUri`.
 */
export function fakeOperations(now: () => number) {
  const operations = new Map<string, Operation>();
  const turns: Turn[] = [];

  /** Lets all that is due end, in its order. */
  function settle(): void {
    const due = [...operations.values()].filter(({ ended, endsAt }) => ended === undefined && endsAt <= now());
    for (const operation of due.sort((a, b) => a.endsAt - b.endsAt)) {
      operation.over();
      operation.ended = endOf(operation);
    }
  }

  function begin({ kind = 'odidp', takesMs, lands, over = () => {} }: Begun): Operation {
    settle();
    const turn = turns.shift() ?? {};
    const endsAt = turn.never ? Number.POSITIVE_INFINITY : now() + takesMs + (turn.lateMs ?? 0);
    const name = `${kind}:00000000-0000-0000-0000-000000000000:${operations.size + 1}`;
    const operation: Operation = { name, beganAt: now(), endsAt, turn, lands, over };
    operations.set(name, operation);
    return operation;
  }

  function urlOf({ request, region }: Begun, kind: string, { name }: Operation): string {
    const { params, query, origin } = request;
    const provider = `/subscriptions/${params.subscription}/providers/Microsoft.MachineLearningServices`;
    const version = query.get('api-version');
    return `${origin}${provider}/locations/${region}/${kind}/${encodeURIComponent(name)}?api-version=${version}`;
  }

  function found({ params }: Request): Operation {
    settle();
    const operation = operations.get(params.operation ?? '');
    if (operation === undefined || operation.turn.lost)
      throw new Refusal(404, 'NotFound', `Operation ${params.operation} was not found.`);
    return operation;
  }

  const afterOf = ({ retryAfterSeconds }: Begun) =>
    retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` };

  return {
    settle,
    /** Headers of a 201, for a PUT: `new Reply(201, resource, operations.async({...}))`. */
    async(begun: Begun): Readonly<Record<string, string>> {
      const url = urlOf(begun, 'mfeOperationsStatus', begin(begun));
      return { 'azure-asyncoperation': url, 'x-ms-async-operation-timeout': 'PT1H', ...afterOf(begun) };
    },
    /** Headers of a 202, for a PATCH, POST or DELETE. */
    location(begun: Begun): Readonly<Record<string, string>> {
      const url = urlOf(begun, 'mfeOperationResults', begin(begun));
      return { location: url, 'x-ms-async-operation-timeout': 'PT1H', ...afterOf(begun) };
    },
    /** How the next operation that is begun goes. */
    next: (turn: Turn) => void turns.push(turn),
    /** Azure has forgotten all of them. */
    forget: () => operations.clear(),
    routes: {
      'GET /subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/mfeOperationsStatus/{operation}':
        (request) => statusOf(found(request)),
      'GET /subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}/mfeOperationResults/{operation}':
        (request) => resultOf(found(request), `${request.origin}${request.path}`),
    } satisfies Routes,
  };
}

export type FakeOperations = ReturnType<typeof fakeOperations>;

function endOf({ turn, lands }: Operation): End {
  if (turn.canceled) return { error: { code: 'OperationCanceled', message: 'The operation was canceled.' } };
  if (turn.error !== undefined) return { error: turn.error };
  try {
    return { resource: lands() };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

/** What the URL of `Azure-AsyncOperation` answers: always 200. */
function statusOf({ name, beganAt, endsAt, ended, turn }: Operation): object {
  const startTime = instantOf(beganAt);
  if (ended === undefined) return { name, status: 'InProgress', startTime };
  const endTime = instantOf(endsAt);
  if ('resource' in ended) return { name, status: 'Succeeded', startTime, endTime };
  return { name, status: turn.canceled ? 'Canceled' : 'Failed', startTime, endTime, error: ended.error };
}

/** What the URL of `Location` answers: 202 until it has ended, then what the call itself would have. */
function resultOf({ ended }: Operation, url: string): Reply {
  if (ended === undefined) return new Reply(202, undefined, { location: url });
  if ('error' in ended) throw new Refusal(400, ended.error.code, ended.error.message);
  return ended.resource === undefined ? new Reply(204) : new Reply(200, ended.resource);
}
