import { functionIds } from './functions.ts';
import { type Places, signalsQueue, thingOf } from './places.ts';
import type { ActionGroup, Alarm, AlarmWhen, FunctionId } from './shapes.ts';

/** Seconds after which a stream that is due, and that nobody has taken up, is an alarm. */
const overdue = 15 * 60;

const query = (
  text: string,
  windowMinutes: number,
  more: Partial<{ below: number; above: number }> = {},
): AlarmWhen => ({
  kind: 'query',
  query: text,
  ...(more.below === undefined
    ? { operator: 'GreaterThan', threshold: more.above ?? 0 }
    : { operator: 'LessThan', threshold: more.below }),
  windowMinutes,
});

/** What tells the operator that Serin itself is not well. Without logs, what the queue itself says. */
export function alarmsOf(places: Places): readonly Alarm[] {
  const { name, appName, logWorkspaceId } = places;
  const alarm = (id: string, says: string, when: AlarmWhen): Alarm => ({ id, name: name(id), says, when });
  const apps = functionIds.map((id) => `'${appName(id)}'`).join(', ');
  /** Lines that functions/azure/src/metric-line.ts writes. https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces */
  const lines = (metric: string): string =>
    `AppTraces | where AppRoleName in (${apps}) | extend line = parse_json(Message) | where tostring(line.metric) == '${metric}'`;
  const requests = (id: FunctionId): string => `AppRequests | where AppRoleName == '${appName(id)}'`;
  // https://learn.microsoft.com/azure/service-bus-messaging/monitor-service-bus-reference#metrics
  const inQueue = (metric: string, above: number, windowMinutes: number): AlarmWhen => ({
    kind: 'metric',
    resource: places.idOf('Microsoft.ServiceBus/namespaces', places.namespace),
    entity: signalsQueue,
    metric,
    aggregation: 'Minimum',
    above,
    windowMinutes,
  });
  const always = [
    alarm(
      'dead-letters-wait',
      'a message has been among the dead letters of the queue for 15 minutes: the function dead-letters fails; read its log',
      inQueue('DeadletteredMessages', 0, 15),
    ),
    alarm(
      'signals-wait',
      'more than 1,000 signals have waited for 15 minutes: the function signals fails, has too few instances or is too slow; read its log',
      inQueue('ActiveMessages', 1000, 15),
    ),
    alarm(
      'api-flood',
      'the API was called more than 10,000 times within 5 minutes, and each call costs: see by whom in its log; apiInstances is the brake, "api": "internal" the door',
      // https://learn.microsoft.com/azure/azure-functions/monitor-functions-reference#metrics
      {
        kind: 'metric',
        resource: places.idOf('Microsoft.Web/sites', appName('api')),
        metric: 'OnDemandFunctionExecutionCount',
        aggregation: 'Total',
        above: 10_000,
        windowMinutes: 5,
      },
    ),
  ];
  if (logWorkspaceId === undefined) return always;
  return [
    ...always,
    alarm(
      'debts-age',
      'a stream has been due for 15 minutes, and nobody has taken it up: the function signals fails or is too slow; read its log',
      query(`${lines('OldestDueSeconds')} | where toreal(line.value) >= ${overdue}`, 5),
    ),
    alarm(
      'dead-letters',
      'a signal could not be used and became a dead letter: see `serin dead-letters list`, then replay or discard it',
      query(lines('DeadLetters'), 5),
    ),
    ...functionIds.map((id) =>
      alarm(
        `${thingOf(id)}-errors`,
        `the function ${thingOf(id)} failed more than twice within 15 minutes; read its log`,
        query(`${requests(id)} | where Success == false`, 15, { above: 2 }),
      ),
    ),
    alarm(
      'clock-stands-still',
      'the clock did not run for 10 minutes: rollouts and deadlines wait; look at its function app',
      query(requests('clock'), 10, { below: 1 }),
    ),
  ];
}

/** Who hears them, and what the owner's alert rules on models call. */
export function actionGroupsOf({ settings: { alertEmail, alarms }, name }: Places): readonly ActionGroup[] {
  return [
    ...(alarms === undefined ? [] : [{ id: 'Signals', name: name('signals'), short: 'serin' } as const]),
    ...(alertEmail === undefined
      ? []
      : [{ id: 'Email', name: name('email'), short: 'serin mail', email: alertEmail } as const]),
  ];
}
