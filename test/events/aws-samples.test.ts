import { describe, expect, test } from 'vitest';
import { answers } from '../../functions/aws/src/http.ts';
import { recordsOf } from '../../functions/aws/src/records.ts';
import { read } from '../../functions/aws/src/signals.ts';
import { openWorld } from '../api/world.ts';
import { samplesOf } from './samples.ts';

const nobodys = '[{"foreign": true}]';
/** Of jobs that Serin does not start. */
const notOurs = new Set(['aws/sm-transform-doc.json']);
const { missing, samples } = samplesOf('aws');
const all = samples.map(({ file, becomes, text }) => ({
  file,
  becomes: notOurs.has(file) ? nobodys : becomes.replace(/ \(typed in .*$/, '').replace(/^muted$/, nobodys),
  event: JSON.parse(text),
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
      // Balancers and the like are not claimed. A sample that was recorded from a browser gets the page.
      const isOurs = /http-(url|v1)-/.test(file);
      const headers = answer.headers ?? (answer as { readonly multiValueHeaders?: object }).multiValueHeaders;
      if (isOurs) expect(JSON.stringify(headers)).toMatch(/application\/(problem\+)?json|text\/html/);
    });
  },
);
