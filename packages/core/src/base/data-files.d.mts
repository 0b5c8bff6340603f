/** The types of data-files.mjs, which is plain JavaScript because the splitter's job runs it as it is. */

export type NotData = 'folder' | 'marker' | 'hidden' | 'temporary' | 'empty';
/** One record, without the end of its line. */
export interface Row {
  readonly text: string;
  readonly where: string;
}

export const maxRow: number;
export function notData(key: string, bytes: number, prefix?: string): NotData | undefined;
export function formatOf(name: string): 'csv' | 'ndjson' | undefined;
export function recordsOf(chunks: Iterable<string>, name: string): Iterable<Row>;
export function rowsOf(chunks: Iterable<string>, name: string): Iterable<Row>;
export function headerOf(chunks: Iterable<string>, name: string): Row;
export function fieldsOf(record: string, where: string): readonly string[];
export function objectOf(text: string, where: string): Readonly<Record<string, unknown>>;
