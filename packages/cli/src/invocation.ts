import { type Answer, type Client, createClient, type Request } from './client.ts';
import { Failure } from './failure.ts';
import { findServer, sendsInTheClear } from './server.ts';
import { facts } from './table.ts';
import type { Terminal } from './terminal.ts';

export type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a command gets to work with. */
export interface Invocation {
  readonly args: readonly string[];
  readonly options: Options;
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Resolves with the exit code; nothing is 0. */
export type Command = (invocation: Invocation) => Promise<number | undefined>;

export const textOption = ({ options }: Pick<Invocation, 'options'>, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};

export function numberOption(invocation: Pick<Invocation, 'options'>, name: string): number | undefined {
  const text = textOption(invocation, name);
  if (text === undefined) return undefined;
  return wholeNumber(text, `--${name}`);
}

export function wholeNumber(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Failure(2, `${what} is '${text}'; give a whole number`);
  return Number(text);
}

/** The positional argument of an index; the command table has made sure of it. */
export const argument = ({ args }: Pick<Invocation, 'args'>, index: number): string => args[index] ?? '';

/** A path of the API with each part encoded. */
export const path = (parts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  parts.reduce((text, part, index) => `${text}${encodeURIComponent(String(values[index - 1] ?? ''))}${part}`);

export async function clientOf({ env, cwd, options, signal, terminal }: Invocation): Promise<Client> {
  const context = typeof options.context === 'string' ? options.context : undefined;
  const server = await findServer({ env, cwd, context });
  if (server.token !== undefined && sendsInTheClear(server.url))
    terminal.say(`serin: the token goes to ${server.url} unencrypted; use https\n`);
  return createClient(server, signal);
}

/** The answer of `--json`, or what a person reads. */
export function show({ terminal }: Pick<Invocation, 'terminal'>, document: unknown, text: () => string): void {
  terminal.out(terminal.json ? `${JSON.stringify(document)}\n` : text());
}

export interface Change extends Request {
  /** What it does, as an order: `roll back fraud to v3`. */
  readonly does: string;
  /** Takes something away: a person is asked first. */
  readonly asks?: boolean;
}

/**
 * Sends a change, or with `--dry-run` says what would be sent and answers `undefined`.
 *
 * A person at a terminal is asked before a change that takes something away, unless `--yes` is given.
 */
export async function change(invocation: Invocation, client: Client, given: Change): Promise<Answer | undefined> {
  const { terminal, options } = invocation;
  const { does, asks, ...request } = given;
  if (options.dryRun === true) {
    const document = {
      dryRun: true,
      does,
      method: request.method,
      path: request.path,
      ...(request.body === undefined ? {} : { body: request.body }),
    };
    show(
      invocation,
      document,
      () => `would ${does}\n  ${request.method} ${client.server.url}${request.path}${bodyText(request.body)}\n`,
    );
    return undefined;
  }
  if (
    asks &&
    options.yes !== true &&
    terminal.interactive &&
    !(await terminal.confirm(`${does} on ${client.server.url} (${client.server.from})?`))
  )
    throw new Failure(1, `did not ${does}`, { mend: 'give --yes, or answer yes' });
  if (!client.server.own) terminal.say(`serin: ${client.server.url} (${client.server.from})\n`);
  const key = textOption(invocation, 'idempotencyKey');
  const match = textOption(invocation, 'ifMatch');
  const headers = {
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(match === undefined ? {} : { 'if-match': `"${match.replaceAll('"', '')}"` }),
  };
  return client.send({ ...request, headers: { ...headers, ...request.headers } });
}

const bodyText = (body: unknown): string => {
  const text = body === undefined ? '' : JSON.stringify(body);
  return text.length > 400 ? ` ${text.slice(0, 399)}…` : text === '' ? '' : ` ${text}`;
};

/** A change whose answer is all there is to say. */
export async function plainChange(invocation: Invocation, given: Change): Promise<undefined> {
  const answer = await change(invocation, await clientOf(invocation), given);
  if (answer !== undefined)
    show(invocation, answer.body, () => outcomeText(given.does, answer.body, invocation.terminal));
}

export function outcomeText(does: string, body: Answer['body'], terminal: Terminal): string {
  const because = typeof body.because === 'string' ? `: ${body.because}` : '';
  if (body.outcome === 'ignored') return `nothing changed${because}\n`;
  if (body.outcome === 'repeated') return `done before${because}\n`;
  const { outcome, because: _, ...rest } = body;
  return `${terminal.paint('green', 'ok')}  ${does}${because}\n${facts(rest, terminal)}`;
}
