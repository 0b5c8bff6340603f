import { connect, type Socket } from 'node:net';

/**
 * Sends CloudEvents with distinct ids over keep-alive connections, and says in one line what came of them.
 *
 * With a rate it is an open loop: a request is late from the moment at which it should have been sent, whether or not a
 * connection was free. Without one it is a closed loop: each connection sends again as soon as it is answered.
 */
export interface LoadOrder {
  readonly port: number;
  readonly token: string;
  readonly type: string;
  readonly models: readonly string[];
  readonly connections: number;
  readonly ms: number;
  readonly rate?: number;
  /** Begins every id. */
  readonly series: string;
}

export interface Load {
  readonly acknowledged: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Statuses other than 200 and 202. */
  readonly failures: Readonly<Record<string, number>>;
}

interface Connection {
  readonly socket: Socket;
  wanted: number;
  seen: string;
}

const order = JSON.parse(process.argv[2] ?? '{}') as LoadOrder; // written by `startScript`
const latencies: number[] = [];
const failures: Record<string, number> = {};
const idle: Connection[] = [];
const late: number[] = [];
let sent = 0;
let answered = 0;
let begun = 0;

function request(): string {
  const index = sent++;
  const model = order.models[index % order.models.length];
  const event = {
    specversion: '1.0',
    id: `${order.series}-${index}`,
    source: 'bench',
    type: order.type,
    // Each is a new firing of one alert: more alerts than a hundred at once are refused.
    time: new Date(Date.now() + index).toISOString(),
    data: { model, fingerprint: `${order.series}-${model}` },
  };
  const body = JSON.stringify(event);
  return `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:${order.port}\r\nauthorization: Bearer ${order.token}\r\ncontent-type: application/cloudevents+json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

function send(connection: Connection, wanted: number): void {
  connection.wanted = wanted;
  connection.socket.write(request());
}

/** True once a whole response has been read; bodies are ASCII. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1];
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length);
}

function received(connection: Connection, chunk: string): void {
  connection.seen += chunk;
  if (!isWhole(connection.seen)) return;
  const status = connection.seen.slice(9, 12);
  if (status !== '200' && status !== '202') failures[status] = (failures[status] ?? 0) + 1;
  connection.seen = '';
  answered += 1;
  const now = performance.now();
  latencies.push(now - connection.wanted);
  const next = order.rate === undefined && now < begun + order.ms ? now : late.shift();
  if (next !== undefined) {
    send(connection, next);
    return;
  }
  idle.push(connection);
  if (answered === sent && now >= begun + order.ms) report();
}

function pace(rate: number): void {
  let planned = 0;
  const timer = setInterval(() => {
    const due = Math.floor((Math.min(performance.now() - begun, order.ms) * rate) / 1000);
    for (; planned < due; planned += 1) {
      const wanted = begun + (planned * 1000) / rate;
      const free = idle.pop();
      if (free === undefined) late.push(wanted);
      else send(free, wanted);
    }
    if (performance.now() >= begun + order.ms) clearInterval(timer);
  }, 1);
}

function report(): void {
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0;
  const refused = Object.values(failures).reduce((sum, number) => sum + number, 0);
  const seconds = (performance.now() - begun) / 1000;
  const load: Load = {
    acknowledged: answered - refused,
    perSecond: (answered - refused) / seconds,
    p50: at(0.5),
    p99: at(0.99),
    failures,
  };
  console.log(JSON.stringify(load));
  process.exit(0);
}

async function open(): Promise<Connection> {
  const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
  const connection: Connection = { socket, wanted: 0, seen: '' };
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => received(connection, String(chunk)));
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return connection;
}

const connections = await Promise.all(Array.from({ length: order.connections }, open));
begun = performance.now();
if (order.rate === undefined) for (const connection of connections) send(connection, begun);
else {
  idle.push(...connections);
  pace(order.rate);
}
