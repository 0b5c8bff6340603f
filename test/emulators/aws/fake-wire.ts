/** A refusal as the services of AWS send it. */
export class Refusal extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export type Operations = Readonly<Record<string, (input: never) => object>>;

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Services of AWS in this process, for the `requestHandler` of clients that speak AWS JSON (all that are faked here):
 * requests and answers are the bytes that would be on the wire. By the prefix of `X-Amz-Target`.
 */
export function fakeWire(services: Readonly<Record<string, Operations>>) {
  const answered = (statusCode: number, body: object) => ({
    response: {
      statusCode,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: new TextEncoder().encode(JSON.stringify(body)),
    },
  });
  return {
    async handle({ headers, body }: Request) {
      const [prefix = '', name = ''] = (headers['x-amz-target'] ?? '').split('.');
      const operation = services[prefix]?.[name];
      if (operation === undefined) throw new Error(`the fake has no ${prefix}.${name}`);
      const text = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
      try {
        // The recorder checks each input by AWS's model before it is sent.
        return answered(200, operation(JSON.parse(text) as never));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return answered(400, { __type: error.type, message: error.message });
      }
    },
    destroy() {},
    metadata: { handlerProtocol: 'http/1.1' },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** AWS JSON writes times as seconds since the epoch. */
export const seconds = (ms: number): number => ms / 1000;
