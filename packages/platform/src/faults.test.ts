import { Fault } from '@serin/core/base/fault';
import { expect, test } from 'vitest';
import { callsBy, faultBy, notYet, type SdkError } from './faults.ts';

const nothing: SdkError = { name: '', message: 'said no', code: '', status: 0, throttled: false };

const toFault = faultBy({
  read: (error) => ({ ...nothing, ...(error as Partial<SdkError>) }),
  denied: ({ name }) => name === 'Denied',
  capacity: ({ message }) => /no machine/.test(message),
  quota: ({ name }) => name === 'Quota',
  codes: { Moved: 'conflict', Gone: 'notFound', Denied: 'conflict', Quota: 'conflict' },
  throttling: ({ name }) => /Slow/.test(name),
  missing: ({ message }) => /no such/.test(message),
  mends: { denied: 'grant it', capacity: 'it comes back', quota: 'ask for more' },
  refusals: [{ reason: 'Closed', says: /the door '(\w+)' is closed/, mend: (door) => `open the door ${door}` }],
});

test.each([
  [
    'a permission, though its name is listed',
    { name: 'Denied', status: 403 },
    'invalid',
    'calling failed; grant it: said no',
  ],
  [
    'a refusal by its text, before a permission',
    { name: 'Denied', message: "the door 'a' is closed" },
    'invalid',
    'calling failed; open the door a: the door',
  ],
  [
    'a refusal by its reason',
    { status: 500, reason: 'Closed' },
    'invalid',
    'open the door that is named here: said no',
  ],
  ['no capacity, though it is a quota', { name: 'Quota', message: 'no machine' }, 'throttled', 'it comes back'],
  ['a quota, though its name is listed', { name: 'Quota', status: 400 }, 'invalid', 'ask for more'],
  [
    'a name that is listed, whatever its status',
    { name: 'Moved', status: 503 },
    'conflict',
    'calling failed; wait, it is tried again: said no',
  ],
  ['a name that every object has', { name: 'constructor', status: 400 }, 'invalid', 'said no'],
  ['too many calls, by the status', { status: 429 }, 'throttled', 'said no'],
  ['too many calls, by the name', { name: 'SlowDown', status: 400 }, 'throttled', 'said no'],
  ['too many calls, as the SDK says', { throttled: true, status: 400 }, 'throttled', 'said no'],
  ['a service that fails', { status: 500 }, 'unavailable', 'said no'],
  ['a success that cannot be read', { status: 200 }, 'unavailable', 'said no'],
  ['a network that is cut', { code: 'ECONNRESET' }, 'unavailable', 'said no'],
  ['what is not there, by the text', { message: 'no such model', status: 400 }, 'notFound', 'no such model'],
  ['what the service refuses', { status: 400 }, 'invalid', 'said no'],
  ['what nobody foresaw', { name: 'TypeError' }, 'defect', 'said no'],
])('%s is told as what it is', (_, error, code, text) => {
  const fault = toFault(error, 'calling');

  expect(fault).toMatchObject({ code, cause: error, message: expect.stringContaining(text) });
});

test('a fault says how long the service wants no further call, where it said so', () => {
  expect(toFault({ status: 429, retryAfterMs: 7000 }, 'calling')).toMatchObject({ retryAfterMs: 7000 });
  expect(toFault({ status: 429 }, 'calling').retryAfterMs).toBeUndefined();
});

test('a fault stays what it is', () => {
  const fault = new Fault('conflict', 'moved on');

  expect(toFault(fault, 'calling')).toBe(fault);
});

test('a call says what it was doing, and what is not there is nothing only to whoever asks so', async () => {
  const { guarded, ifThere } = callsBy(toFault, (error) => (error as Partial<SdkError>).message === 'no such model');
  const failing = (error: object) => async () => {
    throw error;
  };

  await expect(guarded('reading', failing({ status: 500 }))).rejects.toMatchObject({
    ...{ code: 'unavailable', message: 'reading failed; wait, it is tried again: said no' },
  });
  await expect(guarded('reading', failing({ message: 'no such model', status: 400 }))).rejects.toThrow('no such model');
  expect(await ifThere('reading', failing({ message: 'no such model', status: 400 }))).toBeUndefined();
  await expect(ifThere('reading', failing({ status: 429 }))).rejects.toMatchObject({ code: 'throttled' });
  expect(await ifThere('reading', async () => 'found')).toBe('found');
});

test('what a cloud does not show yet is asked for again', () => {
  const cause = new Error('not found');

  expect(notYet('the job exists, but is not shown yet', cause)).toMatchObject({
    ...{ code: 'unavailable', retry: 'later', message: 'the job exists, but is not shown yet; try again later', cause },
  });
});
