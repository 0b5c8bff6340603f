import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { paths } from '../installed.ts';
import { Refusal } from './discovery.ts';
import { methodsOf } from './fake-firestore.ts';
import type { FirestoreStore } from './firestore-store.ts';

/** https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const codes: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
};

type Message = Record<string, unknown>;

/** The store behind gRPC: Google's own client speaks nothing else unless it has an account. */
export async function serveFirestoreGrpc(store: FirestoreStore): Promise<{ readonly host: string; stop(): void }> {
  const methods = methodsOf(store);
  const call = (method: keyof typeof methods, request: Message): unknown => {
    const body = fromProto(request) as Message;
    // The path of REST has these; in gRPC they are fields.
    return methods[method](body as never, body as never);
  };
  const unary =
    (method: keyof typeof methods) =>
    ({ request }: ServerUnaryCall<Message, unknown>, done: sendUnaryData<unknown>): void => {
      try {
        done(null, toProto(call(method, request)));
      } catch (error) {
        done(statusOf(error));
      }
    };
  const streamed =
    (method: keyof typeof methods) =>
    (stream: ServerWritableStream<Message, unknown>): void => {
      try {
        for (const part of call(method, stream.request) as readonly unknown[]) stream.write(toProto(part));
        stream.end();
      } catch (error) {
        stream.emit('error', statusOf(error));
      }
    };
  const server = new Server();
  server.addService(serviceOf(), {
    Commit: unary('commit'),
    BeginTransaction: unary('beginTransaction'),
    Rollback: unary('rollback'),
    BatchGetDocuments: streamed('batchGet'),
    RunQuery: streamed('runQuery'),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { host: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

function serviceOf() {
  const client = createRequire(join(paths.gcpFunctions, 'package.json')).resolve('@google-cloud/firestore-api');
  const protos = join(dirname(client), '..', 'protos', 'protos.json');
  const options = { longs: String, enums: String };
  const packages = loadPackageDefinition(fromJSON(JSON.parse(readFileSync(protos, 'utf8')), options));
  // As the protos of Google name it.
  return (packages as never as { google: { firestore: { v1: { Firestore: { service: never } } } } }).google.firestore.v1
    .Firestore.service;
}

function statusOf(error: unknown) {
  if (!(error instanceof Refusal)) return { code: 13, details: String(error) };
  return { code: codes[error.rpc] ?? 2, details: error.message };
}

const times = new Set(['createTime', 'updateTime', 'readTime', 'commitTime', 'timestampValue']);
const blobs = new Set(['bytesValue', 'transaction']);

/** A message as proto3 JSON. What stands under `fields` are names of the user's. */
function fromProto(value: unknown, key = '', isField = false): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (Array.isArray(value)) return value.map((item) => fromProto(item));
  if (value === null || typeof value !== 'object') return key === 'nullValue' && !isField ? null : value;
  if (times.has(key) && !isField) return timeText(value as Time);
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, fromProto(of, name, key === 'fields')]));
}

function toProto(value: unknown, key = '', isField = false): unknown {
  if (Array.isArray(value)) return value.map((item) => toProto(item));
  if (value === null) return 'NULL_VALUE';
  if (typeof value === 'string' && !isField && times.has(key)) return timeOf(value);
  if (typeof value === 'string' && !isField && blobs.has(key)) return Buffer.from(value, 'base64');
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, toProto(of, name, key === 'fields')]));
}

interface Time {
  readonly seconds?: string;
  readonly nanos?: number;
}

const timeText = ({ seconds = '0', nanos = 0 }: Time): string =>
  `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, '0')}Z`;

function timeOf(text: string): Time {
  const [, seconds = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(text) ?? [];
  return { seconds: String(Date.parse(`${seconds}Z`) / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}
