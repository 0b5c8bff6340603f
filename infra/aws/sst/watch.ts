import type { Around } from './pulumi.ts';
import type { Queues } from './stores.ts';

export function renderRules({ aws, topology: { rules } }: Around, queues: Queues): void {
  for (const rule of rules) {
    const made = new aws.cloudwatch.EventRule(`Hears-${rule.id}`, {
      name: rule.name,
      description: rule.hears,
      eventPattern: JSON.stringify(rule.pattern),
    });
    new aws.cloudwatch.EventTarget(`Hears-${rule.id}`, {
      rule: made.name,
      targetId: rule.queue,
      arn: queues[rule.queue].arn,
      deadLetterConfig: { arn: queues[rule.deadLetters].arn },
    });
  }
}

export function renderAlarms({ aws, topology: { alarms, settings } }: Around): void {
  const actions = settings.notify === undefined ? [] : [settings.notify];
  for (const alarm of alarms)
    new aws.cloudwatch.MetricAlarm(`Alarm-${alarm.id}`, {
      name: alarm.name,
      alarmDescription: alarm.says,
      namespace: alarm.namespace,
      metricName: alarm.metric,
      dimensions: { ...alarm.dimensions },
      statistic: alarm.statistic,
      period: alarm.periodSeconds,
      evaluationPeriods: alarm.periods,
      datapointsToAlarm: alarm.periods,
      comparisonOperator: alarm.comparison,
      threshold: alarm.threshold,
      treatMissingData: alarm.missing,
      alarmActions: actions,
      okActions: actions,
    });
}

export function renderDashboard({ aws, topology: { dashboard } }: Around): void {
  if (dashboard === undefined) return;
  new aws.cloudwatch.Dashboard('Dashboard', {
    dashboardName: dashboard.name,
    dashboardBody: JSON.stringify(dashboard.body),
  });
}
