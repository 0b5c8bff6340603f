import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HandlerExecutionContext, MiddlewareStack } from '@smithy/types';
import { modelOf, problemsOf } from '../botocore.ts';
import { emulatorAt, emulators, paths } from '../installed.ts';

/** How a client reaches an emulator; `forcePathStyle` (S3 alone reads it) because no bucket has a host name here. */
export const reach = (url: string) =>
  ({
    endpoint: url,
    region: 'eu-west-1',
    // DynamoDB Local takes letters and digits only.
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    forcePathStyle: true,
    // A retry would hide an answer, and wait.
    maxAttempts: 1,
  }) as const;

/** One call that was really sent; `service` by botocore's name. */
export interface Call {
  readonly service: string;
  readonly operation: string;
  /** The emulator that was at the endpoint, else what the suite says of its fake (`against`). */
  readonly answeredBy: string;
  readonly input: object;
  readonly output?: object;
  readonly error?: unknown;
}

export interface Recorder {
  /**
   * Checks and records all that this client sends from now on; gives the client back.
   *
   * An input that AWS's model refuses is not sent: the call throws. So does an answer that the model does not allow.
   */
  watch<Client extends object, Input extends object, Output extends object>(
    client: Client & { readonly middlewareStack: MiddlewareStack<Input, Output> },
  ): Client;
  /** `service:Operation` of what was sent. */
  calls(): ReadonlySet<string>;
  /** In the order in which they were answered. */
  readonly recorded: readonly Call[];
  /** Writes `.installed/calls/<suite>.json`; throws when a call was against the model, though code has caught it. */
  save(): void;
}

interface Options {
  /** One suite, one name: the file of an earlier run is replaced. */
  readonly suite: string;
  /** Who answers: `moto`, `dynamodb-local`, or a few words for a fake of ours. What was really called is checked. */
  readonly against: string;
}

const services: Readonly<Record<string, string>> = {
  ApplicationAutoScalingClient: 'application-autoscaling',
  CloudWatchClient: 'cloudwatch',
  CloudWatchLogsClient: 'logs',
  DynamoDBClient: 'dynamodb',
  EventBridgeClient: 'events',
  S3Client: 's3',
  SageMakerClient: 'sagemaker',
  SQSClient: 'sqs',
  SSMClient: 'ssm',
};

/** Where moto 5.2.5 answers against the model: these lines alone are let pass, and from moto alone. */
const faultsOfMoto: Readonly<Record<string, RegExp>> = {
  'application-autoscaling:DescribeScalableTargets': /RoleARN: missing$/,
  'sagemaker:DescribeEndpoint': /^DataCaptureConfig\.\w+: missing$/,
  'sagemaker:DescribeEndpointConfig': /^DataCaptureConfig\.\w+: missing$/,
  'sagemaker:DescribeModel': /^VpcConfig\.\w+: missing$/,
  'sagemaker:DescribeModelPackage': /^(ModelPackageName: missing$|ModelPackageStatusDetails\.\w+\[0\]\.Name: )/,
  'sagemaker:DescribeModelPackageGroup': /^CreatedBy: missing$/,
  'sagemaker:DescribeProcessingJob': /^ProcessingResources: missing$/,
};

export function recorder({ suite, against }: Options): Recorder {
  const recorded: Call[] = [];
  const violations: string[] = [];
  const demand = (said: string, problems: readonly string[]) => {
    if (problems.length === 0) return;
    violations.push(`${said} is against AWS's model:\n  ${problems.join('\n  ')}`);
    throw new Error(violations.at(-1));
  };
  return {
    recorded,
    calls: () => new Set(recorded.map(nameOf)),
    watch(client) {
      client.middlewareStack.add(
        (next, context) => async (args) => {
          const { service, operation } = whatIsCalled(context);
          const called = { service, operation, input: args.input };
          demand(`${nameOf(called)} input`, problemsOf(service, operation, 'input', args.input));
          const answer = await next(args).catch((error: unknown) => {
            // Without a request there was no call: the SDK refused the input itself.
            if (context.sentTo !== undefined)
              recorded.push({ ...called, answeredBy: whoIsAt(context.sentTo, against), error });
            throw error;
          });
          const { output } = answer;
          const answeredBy = whoIsAt(context.sentTo, against);
          recorded.push({ ...called, answeredBy, output });
          const known = answeredBy === 'moto' ? faultsOfMoto[nameOf(called)] : undefined;
          const problems = problemsOf(service, operation, 'output', output);
          demand(
            `${nameOf(called)} output of ${answeredBy}`,
            problems.filter((problem) => !known?.test(problem)),
          );
          return answer;
        },
        // Outermost, so that a call with its retries is one call.
        { step: 'initialize', priority: 'high', name: 'recorder' },
      );
      client.middlewareStack.add(
        (next, context) => (args) => {
          context.sentTo = originOf(args.request);
          return next(args);
        },
        { step: 'finalizeRequest', name: 'recorderOfPlaces' },
      );
      return client;
    },
    save() {
      mkdirSync(paths.calls, { recursive: true });
      const summary = { suite, calls: tally(recorded) };
      writeFileSync(join(paths.calls, `${suite}.json`), `${JSON.stringify(summary, null, 2)}\n`);
      if (violations.length > 0) throw new Error(violations.join('\n'));
    },
  };
}

const nameOf = ({ service, operation }: Pick<Call, 'service' | 'operation'>): string => `${service}:${operation}`;

function whatIsCalled({ clientName = '', commandName = '' }: HandlerExecutionContext) {
  const service = services[clientName];
  if (service === undefined) throw new Error(`recorder: ${clientName} has no botocore model named here`);
  const operation = commandName.replace(/Command$/, '');
  if (modelOf(service).operations[operation] === undefined)
    throw new Error(`recorder: botocore's ${service} has no operation ${operation}`);
  return { service, operation };
}

/** A fake is never counted as an emulator, whatever the suite says. */
function whoIsAt(origin: string, against: string): string {
  const found = emulatorAt(origin);
  if (found === undefined && emulators.includes(against))
    throw new Error(`recorder: at ${origin} is no ${against} that this process has started`);
  return found ?? against;
}

function originOf(request: unknown): string {
  const { protocol, hostname, port } = request as {
    readonly protocol: string;
    readonly hostname: string;
    readonly port?: number;
  };
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

interface Count {
  answered: number;
  refused: number;
}

/** By call, then by who answered: how often it was answered, and how often refused. Sorted by name. */
function tally(recorded: readonly Call[]): Readonly<Record<string, Readonly<Record<string, Count>>>> {
  const counts: Record<string, Record<string, Count>> = {};
  for (const call of recorded.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)))) {
    const ofCall = counts[nameOf(call)] ?? {};
    const count = ofCall[call.answeredBy] ?? { answered: 0, refused: 0 };
    count[call.error === undefined ? 'answered' : 'refused'] += 1;
    ofCall[call.answeredBy] = count;
    counts[nameOf(call)] = ofCall;
  }
  return counts;
}
