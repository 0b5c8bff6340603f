import { notData } from '@serin/core/base/data-files';
import type { Owners } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { type Message, type Read, readBatch } from '@serin/platform/arrivals';
import { tickBody } from '@serin/platform/message';
import { describe, expect, test } from 'vitest';
import { compiled } from '../api/world.ts';
import type { AdapterOf } from './adapters.ts';
import { partsOf } from './parts.ts';

/**
 * Bodies as a cloud sends them to the installation `shop` in `prod`, whose model `fraud` takes what lies in the bucket
 * `drops` below `fraud/`.
 */
export interface InboundFixtures {
  readonly read: Read;
  readonly owners: Owners;
  /** Bodies of the new object with this key: each way in which the cloud may tell of it. */
  readonly object: { readonly key: string; readonly bodies: readonly string[] };
  /** The empty object that a console makes for a folder. */
  readonly folderMarker: string;
  readonly deletedObject: string;
  /** A job of `fraud` has ended. */
  readonly finishedJob: string;
  /** An alarm of `fraud`, each way in which the cloud may tell of it; it began at this time. */
  readonly alarm: { readonly sender: string; readonly startedAt: string; readonly bodies: readonly string[] };
  readonly alarmEnd: string;
  /** The first version of `fraud` is approved by somebody; absent where the cloud's registry does not say so. */
  readonly approval?: { readonly by: string; readonly body: string };
  /** Of the cloud, and of nobody here: somebody else's object, job and alarm, and messages that say nothing. */
  readonly strangers: readonly string[];
  /** Claims to be of the cloud, and cannot be read. */
  readonly broken: string;
}

/** What comes in from a cloud: the same sentences for each, from bodies as it sends them. */
export function inboundContract(cloud: AdapterOf<'inbound'>, fixtures: InboundFixtures): void {
  const { read, owners, object, alarm, alarmEnd } = fixtures;
  const routes = routesOf(compiled({}));
  const messages = (bodies: readonly string[]): readonly Message[] =>
    bodies.map((body, index) => ({ id: `m${index}`, body }));
  const arrive = (...bodies: readonly string[]) => readBatch(messages(bodies), { read, routes, owners });
  const signalsOf = async (...bodies: readonly string[]) =>
    (await arrive(...bodies)).arrivals.map(({ stream, signal }) => ({ stream, ...signal }));
  const hint = (type: string) => [{ stream: 'model/fraud', type }];
  const [anAlarm = ''] = alarm.bodies;

  describe(`inbound: ${cloud}`, () => {
    const { approval } = partsOf('inbound', cloud);

    test.each(object.bodies)('a new object is a hint for the model that takes it (%#)', async (body) => {
      expect(await signalsOf(body)).toEqual([{ stream: 'model/fraud', type: 'dataHinted', keys: [object.key] }]);
    });

    test('new objects of one batch are one hint, and each message of it is named', async () => {
      const { arrivals } = await arrive(...object.bodies, ...object.bodies);

      expect(arrivals).toHaveLength(1);
      expect(arrivals[0]?.messages).toHaveLength(2 * object.bodies.length);
    });

    test('a folder marker hints at nothing that is data', async () => {
      const said = await signalsOf(fixtures.folderMarker);

      const keys = said.flatMap((signal) => ('keys' in signal ? signal.keys : []));
      expect(keys.filter((key) => notData(key, 0, 'fraud/') === undefined)).toEqual([]);
      expect(said).toHaveLength(keys.length);
    });

    test('an object that was deleted is not new', async () => {
      expect(await arrive(fixtures.deletedObject)).toMatchObject({ arrivals: [], failed: [], unrouted: [{}] });
    });

    test('a finished job is a hint for its model', async () => {
      expect(await signalsOf(fixtures.finishedJob)).toEqual(hint('jobHinted'));
    });

    test.each(alarm.bodies)('an alarm raises an alert, and its end resolves that very alert (%#)', async (body) => {
      const { sender, startedAt } = alarm;

      const [raised] = await signalsOf(body);
      const [resolved] = await signalsOf(alarmEnd);

      expect(raised).toMatchObject({ stream: 'model/fraud', type: 'alertRaised', kind: 'alert', sender, startedAt });
      const { fingerprint } = raised as unknown as { readonly fingerprint: string };
      expect(resolved).toMatchObject({ stream: 'model/fraud', type: 'alertResolved', sender, fingerprint });
    });

    test('an alarm has one id, however often and whichever way it comes, and its end has another', async () => {
      const { arrivals } = await arrive(...alarm.bodies, ...alarm.bodies, alarmEnd);

      expect(new Set(arrivals.map(({ id }) => id)).size).toBe(2);
      expect(arrivals).toHaveLength(2);
    });

    test('an alarm comes before its end, whichever message was first, and is over by then', async () => {
      const said = await signalsOf(alarmEnd, anAlarm);

      expect(said).toMatchObject([{ type: 'alertRaised', over: true }, { type: 'alertResolved' }]);
    });

    approval('an approval is given by whom the registry names', async () => {
      const { by, body } = fixtures.approval ?? expect.fail('there is no approval');

      const { arrivals } = await arrive(body, body);

      expect(arrivals).toMatchObject([
        { stream: 'model/fraud', by, signal: { type: 'approvalGiven', version: 1, approved: true } },
      ]);
      expect(arrivals[0]?.id).toBeTypeOf('string');
    });

    test('a tick of our own has a stream looked at, also the project', async () => {
      expect(await signalsOf(tickBody('model/fraud'))).toEqual(hint('clockTicked'));
      expect(await signalsOf(tickBody('project'))).toMatchObject([{ stream: 'project' }]);
    });

    test("a stranger's message is counted by what it is, and moves nothing", async () => {
      const { arrivals, unrouted, failed } = await arrive(...fixtures.strangers);

      expect({ arrivals, failed }).toEqual({ arrivals: [], failed: [] });
      expect(unrouted).toHaveLength(fixtures.strangers.length);
      for (const what of unrouted) expect(what).toMatch(/^.{1,120}$/);
    });

    test('a body that cannot be read fails its own message for good, and no other', async () => {
      const { arrivals, failed } = await arrive(fixtures.broken, 'no JSON', anAlarm);

      expect(failed).toMatchObject([
        { id: 'm0', fault: { retry: 'never' } },
        { id: 'm1', fault: { retry: 'never' } },
      ]);
      expect(arrivals).toMatchObject([{ messages: ['m2'] }]);
    });
  });
}
