import { badCursor, cursorOf, placeIn } from '@serin/core/base/cursor';
import { canonical } from '@serin/core/base/json';
import { instant } from '@serin/core/base/time';
import type { Capture, CapturedPage, CapturedQuery } from '@serin/core/ports/captured';
import { type Found, foundRequest, openPage } from '@serin/platform/captured';
import type { Google } from '../calls/google.ts';
import type { VertexPlace } from '../calls/vertex.ts';
import { guarded } from '../faults.ts';
import { nameOfId } from './endpoints.ts';

/** What an endpoint logs of its requests, as Vertex AI has it. */
export interface Logging {
  readonly enabled?: boolean;
  readonly samplingRate?: number;
  readonly bigqueryDestination?: { readonly outputUri?: string };
}

/** Into one table of all endpoints: each row says whose it is. */
export const loggingOf = ({ percent }: Capture, table: string): Logging => ({
  enabled: true,
  samplingRate: percent / 100,
  bigqueryDestination: { outputUri: `bq://${table}` },
});

/** Whether an endpoint logs as it is wanted; what is off is as good as none. */
export const logsAs = (actual: Logging | undefined, wanted: Logging | undefined): boolean =>
  canonical(actual?.enabled ? actual : {}) === canonical(wanted ?? {});

interface CaptureTable extends VertexPlace {
  readonly google: Google;
  /** `<project>.<dataset>.<table>` of BigQuery. */
  readonly captureTable: string;
}

/** https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query */
interface Answer {
  readonly jobReference?: { readonly jobId?: string };
  readonly jobComplete?: boolean;
  readonly rows?: readonly { readonly f?: readonly Cell[] }[];
  readonly pageToken?: string;
}
/** A list has its items in cells of their own. */
interface Cell {
  readonly v?: string | readonly Cell[] | null;
}

const pageRows = 1000;
/** BigQuery answers after so long, finished or not. */
const waitMs = 10_000;

/**
 * The rows that an endpoint logged in a window. A query reads the days of the window only, and costs what it reads; its
 * further pages are of the same result. A page of a query that is not finished is empty.
 */
export async function capturedRows(
  { google, googleProject, region, captureTable }: CaptureTable,
  endpoint: string,
  query: CapturedQuery,
): Promise<CapturedPage> {
  const path = `bigquery/v2/projects/${googleProject}/queries`;
  const bounds = { maxResults: pageRows, timeoutMs: waitMs };
  const place = query.cursor === undefined ? undefined : placeOf(query.cursor);
  const answer = await guarded(`reading what the endpoint ${endpoint} logged of its requests`, () =>
    place === undefined
      ? google.json<Answer>({
          ...({ service: 'bigquery', method: 'POST', path } as const),
          body: { ...questionOf(captureTable, endpoint, query), location: region, ...bounds },
        })
      : google.json<Answer>({
          ...({ service: 'bigquery', method: 'GET', path: `${path}/${place.job}` } as const),
          query: { location: region, ...bounds, ...(place.page === '' ? {} : { pageToken: place.page }) },
        }),
  );
  const page = openPage(query);
  for (const { f = [] } of answer.rows ?? []) page.add(requestOf(f, query.fields));
  const goesOn = answer.jobComplete === false || Boolean(answer.pageToken);
  const job = answer.jobReference?.jobId ?? place?.job;
  return page.close(goesOn && job !== undefined ? cursorOf([job, answer.pageToken ?? '']) : undefined);
}

function placeOf(cursor: string): { readonly job: string; readonly page: string } {
  const place = placeIn(cursor);
  const [job, page] = Array.isArray(place) ? place : [];
  if (typeof job !== 'string' || !/^[\w:.-]+$/.test(job) || typeof page !== 'string') throw badCursor(cursor);
  return { job, page };
}

/** What is asked with is a parameter. Vertex AI names the project of an endpoint by its number, which is not known here. */
function questionOf(table: string, endpoint: string, { from, to }: CapturedQuery) {
  const parameter = (name: string, type: 'STRING' | 'TIMESTAMP', value: string) => ({
    name,
    parameterType: { type },
    parameterValue: { value },
  });
  return {
    query: [
      'SELECT deployed_model_id, UNIX_MICROS(logging_time), CAST(request_id AS STRING), request_payload, response_payload',
      `FROM \`${table}\``,
      "WHERE logging_time >= @from AND logging_time < @to AND ENDS_WITH(CONCAT('/', endpoint), @endpoint)",
    ].join(' '),
    useLegacySql: false,
    parameterMode: 'NAMED',
    queryParameters: [
      parameter('from', 'TIMESTAMP', instant(from)),
      parameter('to', 'TIMESTAMP', instant(to)),
      parameter('endpoint', 'STRING', `/${endpoint}`),
    ],
  };
}

const otherForm: Found = { unread: 'a row of the log of requests has no time' };

function requestOf(cells: readonly Cell[], fields: readonly string[]): Found {
  const [model, micros, id, asked = [], answered = []] = cells.map(textsIn);
  const at = Math.floor(Number(micros?.[0] ?? Number.NaN) / 1000);
  if (Number.isNaN(at)) return otherForm;
  const [deployed = '', requestId] = [model?.[0], id?.[0]];
  const known = {
    at,
    ...(/^\d+$/.test(deployed) ? { deployment: nameOfId(deployed) } : {}),
    ...(requestId === undefined ? {} : { requestId }),
  };
  const json = (body: string) => ({ body, contentType: 'application/json' });
  const found = foundRequest(fields, {
    ...known,
    asked: json(`{"instances":[${asked.join()}]}`),
    ...(answered.length === 0 ? {} : { answered: json(`{"predictions":[${answered.join()}]}`) }),
  });
  const [whole, ...others] = asked;
  if (found.unread === undefined || whole === undefined || others.length > 0) return found;
  // Of a raw prediction the payload is the body, in whatever form it came.
  const plain = (body: string) => ({ body, contentType: undefined });
  const raw = foundRequest(fields, {
    ...{ ...known, asked: plain(whole) },
    ...(answered.length === 0 ? {} : { answered: plain(answered.join('\n')) }),
  });
  return raw.unread === undefined ? raw : found;
}

const textsIn = ({ v }: Cell): readonly string[] =>
  typeof v === 'string' ? [v] : (v ?? []).flatMap((each) => (typeof each.v === 'string' ? [each.v] : []));
