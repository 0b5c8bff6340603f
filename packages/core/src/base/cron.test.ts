import { describe, expect, test } from 'vitest';
import { nextCron } from './cron.ts';

describe('a schedule', () => {
  const at = (text: string) => Date.parse(text);
  const next = (cron: string, zone: string, after: string) => new Date(nextCron(cron, zone, at(after))).toISOString();

  test.each([
    ['0 3 * * 1', 'Europe/Zurich', '2026-11-20T12:00:00Z', '2026-11-23T02:00:00.000Z'],
    ['*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00.000Z'],
    ['0 0 1 * *', 'America/New_York', '2026-02-01T05:00:00Z', '2026-03-01T05:00:00.000Z'],
    ['0 12 13 * 5', 'UTC', '2026-01-10T00:00:00Z', '2026-01-13T12:00:00.000Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 8-10/2 * 3,6 *', 'UTC', '2026-03-31T09:00:00Z', '2026-03-31T10:00:00.000Z'],
    ['0 3 * * MON-FRI', 'UTC', '2026-01-01T04:00:00Z', '2026-01-02T03:00:00.000Z'],
    ['0 3 * * mon-fri', 'UTC', '2026-01-02T04:00:00Z', '2026-01-05T03:00:00.000Z'],
    ['0 3 * * SUN', 'UTC', '2026-01-01T04:00:00Z', '2026-01-04T03:00:00.000Z'],
    ['0 3 * * 7', 'UTC', '2026-01-01T04:00:00Z', '2026-01-04T03:00:00.000Z'],
    ['0 3 * * SAT-SUN', 'UTC', '2026-01-03T04:00:00Z', '2026-01-04T03:00:00.000Z'],
    ['0 3 * * SUN-TUE', 'UTC', '2026-01-01T04:00:00Z', '2026-01-04T03:00:00.000Z'],
    ['0 0 1 JAN,Jul *', 'UTC', '2026-02-01T00:00:00Z', '2026-07-01T00:00:00.000Z'],
    ['10/20 * * * *', 'UTC', '2026-01-01T00:11:00Z', '2026-01-01T00:30:00.000Z'],
  ])('%s in %s after %s fires at %s', (cron, zone, after, expected) => {
    expect(next(cron, zone, after)).toBe(expected);
  });

  test('skips a wall-clock minute that does not exist, and fires once in an hour that comes twice', () => {
    expect(next('30 2 * * *', 'Europe/Zurich', '2026-03-28T12:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
    const first = next('30 2 * * *', 'Europe/Zurich', '2026-10-24T12:00:00Z');
    expect(first).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 2 * * *', 'Europe/Zurich', first)).toBe('2026-10-26T01:30:00.000Z');
  });

  test('fires once a day where clocks go back by half an hour, or by two', () => {
    const first = next('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T12:00:00Z');
    expect(first).toBe('2026-04-04T14:45:00.000Z');
    expect(next('45 1 * * *', 'Australia/Lord_Howe', first)).toBe('2026-04-05T15:15:00.000Z');

    const troll = next('30 2 * * *', 'Antarctica/Troll', '2026-10-24T12:00:00Z');
    expect(troll).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 2 * * *', 'Antarctica/Troll', troll)).toBe('2026-10-26T02:30:00.000Z');
  });

  test.each([
    ['*/15 * * * *', 'Europe/Zurich', '2026-10-25T00:45:00Z', '2026-10-25T01:00:00.000Z'],
    ['*/15 * * * *', 'Europe/Zurich', '2026-10-25T01:45:00Z', '2026-10-25T02:00:00.000Z'],
    ['*/15 * * * *', 'Europe/Zurich', '2026-03-29T00:45:00Z', '2026-03-29T01:00:00.000Z'],
    ['*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:45:00Z', '2026-04-04T15:00:00.000Z'],
  ])('%s in %s goes on through a change of the clocks: after %s at %s', (cron, zone, after, expected) => {
    expect(next(cron, zone, after)).toBe(expected);
  });

  test.each([
    ['0 3 * * MON-FRX', "cron day of week 'MON-FRX' is not valid; use 0 to 7, or a name such as MON"],
    ['0 3 * * FRI-TUE', "cron day of week 'FRI-TUE' is not valid; use 0 to 7"],
    ['0 3 * * 6-2', "cron day of week '6-2' is not valid; use 0 to 7"],
    ['0 3 * FOO *', "cron month 'FOO' is not valid; use 1 to 12, or a name such as FEB"],
    ['0 MON * * *', "cron hour 'MON' is not valid; use 0 to 23"],
    ['60 * * * *', "cron minute '60' is not valid; use 0 to 59"],
    ['*/0 * * * *', "cron minute '*/0' is not valid; use 0 to 59"],
    ['- * * * *', "cron minute '-' is not valid; use 0 to 59"],
    ['0 3 * *', 'has 4 fields; write five'],
    ['0 0 30 2 *', 'never fires within five years'],
  ])('%s is refused, with its field', (cron, because) => {
    expect(() => nextCron(cron, 'UTC', 0)).toThrow(because);
  });

  test('an unknown zone is refused', () => {
    expect(() => nextCron('0 3 * * *', 'Mars/Base', 0)).toThrow("zone 'Mars/Base' is not an IANA time zone");
  });
});
