import { type Handlers, Refusal, type Request } from './discovery.ts';

/** A row that Vertex AI has logged. The names of columns are those of its documentation. */
export interface LoggedRow {
  readonly endpoint: string;
  readonly deployed_model_id: string | null;
  readonly logging_time: number;
  readonly request_id: string | null;
  readonly request_payload: readonly string[];
  readonly response_payload: readonly string[];
}

interface Options {
  /** How many queries are not finished when they are answered. */
  readonly unfinished?: number;
  readonly isAway?: () => boolean;
}

/**
 * BigQuery, as far as one question is asked of one table: it takes the parameters and does not read the SQL. Answers have
 * the form of the discovery document: each cell is a text, and a list is cells in a cell.
 */
export function fakeBigQuery(rows: readonly LoggedRow[], { unfinished = 0, isAway = () => false }: Options = {}) {
  const jobs = new Map<string, readonly LoggedRow[]>();
  const asked: string[] = [];
  let late = unfinished;

  function page(job: string, first: number, most: number): object {
    const found = jobs.get(job);
    if (found === undefined) throw new Refusal('NOT_FOUND', `Not found: Job acme:${job}`, { reason: 'notFound' });
    const jobReference = { projectId: 'acme', jobId: job, location: 'europe-west4' };
    if (late > 0) {
      late -= 1;
      return { kind: 'bigquery#queryResponse', jobReference, jobComplete: false };
    }
    const next = first + most;
    return {
      ...{ kind: 'bigquery#queryResponse', jobReference, jobComplete: true, totalRows: String(found.length) },
      ...(found.length === 0 ? {} : { rows: found.slice(first, next).map(cellsOf) }),
      ...(next < found.length ? { pageToken: String(next) } : {}),
    };
  }

  const handlers: Handlers = {
    'bigquery.jobs.query': ({ body }: Request) => {
      if (isAway())
        throw new Refusal('UNAVAILABLE', 'The service is currently unavailable.', { reason: 'backendError' });
      const value = (name: string): string =>
        body.queryParameters.find((each: { name: string }) => each.name === name)?.parameterValue.value ?? '';
      if (body.useLegacySql !== false) throw new Refusal('INVALID_ARGUMENT', 'Legacy SQL has no such parameters.');
      asked.push(body.query);
      const [from, to] = [Date.parse(value('from')), Date.parse(value('to'))];
      const job = `job_${jobs.size + 1}`;
      jobs.set(
        job,
        rows.filter(
          ({ endpoint, logging_time: at }) => at >= from && at < to && `/${endpoint}`.endsWith(value('endpoint')),
        ),
      );
      return page(job, 0, body.maxResults);
    },
    'bigquery.jobs.getQueryResults': ({ params, query }: Request) =>
      page(params.jobId ?? '', Number(query.get('pageToken') ?? 0), Number(query.get('maxResults'))),
  };
  return { handlers, asked };
}

const cellsOf = (row: LoggedRow) => ({
  f: [
    { v: row.deployed_model_id },
    { v: String(row.logging_time * 1000) },
    { v: row.request_id },
    ...[row.request_payload, row.response_payload].map((texts) => ({ v: texts.map((v) => ({ v })) })),
  ],
});
