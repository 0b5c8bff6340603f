/** An answer of the API that is not what was asked for. */
export class Unanswered extends Error {
  readonly status: number;
  readonly path: string;

  constructor(status: number, path: string, detail: string) {
    super(detail);
    this.name = 'Unanswered';
    this.status = status;
    this.path = path;
  }
}

/** What the API answers to one page, each path asked once. */
export interface Look {
  /** The document of a path; another answer than 200 is thrown as `Unanswered`. */
  get<Document>(path: string): Promise<Document>;
  /** The same; `undefined` where there is no such thing, or where this platform has none (404, 501). */
  find<Document>(path: string): Promise<Document | undefined>;
  /** The revision of a document that was got before, as its `ETag` said. */
  revisionOf(path: string): number | undefined;
}

/** Reads the API for one page. */
export function createLook(call: (path: string) => Promise<Response>): Look {
  const asked = new Map<string, Promise<unknown>>();
  const revisions = new Map<string, number>();

  async function read(path: string): Promise<unknown> {
    const response = await call(path);
    const revision = /^"(\d+)"$/.exec(response.headers.get('etag') ?? '')?.[1];
    if (revision !== undefined) revisions.set(path, Number(revision));
    if (response.ok) return response.json();
    const problem = (await response.json().catch(() => ({}))) as { readonly detail?: unknown };
    const detail = typeof problem.detail === 'string' ? problem.detail : `${path} was answered with ${response.status}`;
    throw new Unanswered(response.status, path, detail);
  }

  async function get<Document>(path: string): Promise<Document> {
    const known = asked.get(path) ?? read(path);
    asked.set(path, known);
    // The views are written against the schemas of the route table.
    return (await known) as Document;
  }

  async function find<Document>(path: string): Promise<Document | undefined> {
    try {
      return await get<Document>(path);
    } catch (error) {
      if (error instanceof Unanswered && [404, 501].includes(error.status)) return undefined;
      throw error;
    }
  }

  return { get, find, revisionOf: (path) => revisions.get(path) };
}
