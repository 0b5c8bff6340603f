import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { answers } from '../../functions/aws/src/http.ts';
import { recordsOf } from '../../functions/aws/src/records.ts';
import { read } from '../../functions/aws/src/signals.ts';
import { openWorld } from '../api/world.ts';

/**
 * Real samples, of AWS's own libraries and documentation, that are not kept here: `SERIN_EVENT_SAMPLES` is their folder, whose
 * SOURCES.tsv says of each what it must become.
 */
const folder = process.env.SERIN_EVENT_SAMPLES;
const missing =
  folder === undefined || !existsSync(join(folder, 'SOURCES.tsv'))
    ? 'set SERIN_EVENT_SAMPLES to the folder of real samples'
    : undefined;
if (missing !== undefined) process.stderr.write(`skipped: real samples of AWS: ${missing}\n`);

const nobodys = '[{"foreign": true}]';
/** Of jobs that Serin does not start. */
const notOurs = new Set(['aws/sm-transform-doc.json']);
const samples =
  missing !== undefined || folder === undefined
    ? []
    : readFileSync(join(folder, 'SOURCES.tsv'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('\t'))
        .filter(([file = '']) => file.startsWith('aws/'))
        .map(([file = '', , , , , becomes = '']) => ({
          file,
          becomes: notOurs.has(file) ? nobodys : becomes.replace(/ \(typed in .*$/, '').replace(/^muted$/, nobodys),
          event: JSON.parse(readFileSync(join(folder, file), 'utf8')),
        }));
const isHttp = ({ file }: { readonly file: string }) => file.startsWith('aws/http-');

/** In the form of SOURCES.tsv. */
function inShort(body: unknown) {
  try {
    return read(typeof body === 'string' ? body : JSON.stringify(body)).map((fact) => {
      if (fact.kind === 'object') return { object: [fact.bucket, fact.key] };
      if (fact.kind === 'alarm') {
        const { type, fingerprint } = fact.says;
        const endpoints = 'endpoints' in fact.of ? fact.of.endpoints : [];
        return { alarm: [type === 'alertRaised' ? 'ALARM' : 'OK', fingerprint, fact.saidAt, endpoints] };
      }
      if (fact.kind === 'job') return { job: fact.job.replace(/^.*\//, '') };
      if (fact.kind === 'endpoint') return { endpoint: fact.name };
      return { [fact.kind === 'unrouted' ? 'foreign' : fact.kind]: true };
    });
  } catch {
    return 'unreadable';
  }
}

/** Records of one message that are all for nobody are one row of the table. */
const folded = (facts: ReturnType<typeof inShort>) =>
  facts !== 'unreadable' && facts.every((fact) => 'foreign' in fact) ? [{ foreign: true }] : facts;

describe.skipIf(missing !== undefined)(
  `real samples of AWS${missing === undefined ? '' : ` [skipped: ${missing}]`}`,
  () => {
    const all = missing === undefined ? samples : [{ file: '', becomes: '[]', event: {} }];

    test.each(all.filter((sample) => !isHttp(sample)))('$file becomes $becomes', ({ file, becomes, event }) => {
      const isBatch = /^aws\/(sqs-|sns-in-sqs)/.test(file);
      const bodies: unknown[] = isBatch ? event.Records.map(({ body }: { readonly body: string }) => body) : [event];

      const facts = bodies.map((body) => folded(inShort(body)));

      expect(facts).toEqual(isBatch ? JSON.parse(becomes) : [JSON.parse(becomes)]);
    });

    test.each(all.filter((sample) => !isHttp(sample)))(
      '$file as a whole event of Lambda fails nothing',
      ({ event }) => {
        const counted: string[] = [];
        const log = { say: () => {}, fault: () => {}, count: (metric: string) => counted.push(metric) };

        const messages = recordsOf(event, log);

        const records: readonly { readonly eventSource?: string }[] = event.Records ?? [event];
        expect(messages).toEqual(records.filter(({ eventSource }) => eventSource === 'aws:sqs'));
        expect(messages.length + counted.length).toBe(records.length);
      },
    );

    test.each(all.filter(isHttp))('$file is answered', async ({ file, event }) => {
      const { app } = await openWorld();

      const answer = await answers(app)(event, { awsRequestId: '1' } as never);

      expect(answer.statusCode).toBeLessThan(500);
      // Balancers and the like are not claimed.
      const isOurs = /http-(url|v1)-/.test(file);
      const headers = answer.headers ?? (answer as { readonly multiValueHeaders?: object }).multiValueHeaders;
      if (isOurs) expect(JSON.stringify(headers)).toMatch(/application\/(problem\+)?json/);
    });
  },
);
