import { Stack } from 'aws-cdk-lib';
import { CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { Topology } from '../topology/shapes.ts';
import type { Queues } from './stores.ts';

export function renderRules(scope: Construct, { rules }: Topology, queues: Queues): void {
  for (const rule of rules)
    new CfnRule(scope, `Hears-${rule.id}`, {
      name: rule.name,
      description: rule.hears,
      eventPattern: rule.pattern,
      targets: [
        {
          id: rule.queue,
          arn: queues[rule.queue].attrArn,
          deadLetterConfig: { arn: queues[rule.deadLetters].attrArn },
        },
      ],
    });
}

export function renderAlarms(scope: Construct, { alarms, settings }: Topology): void {
  const actions = settings.notify === undefined ? [] : [settings.notify];
  for (const alarm of alarms)
    new CfnAlarm(scope, `Alarm-${alarm.id}`, {
      alarmName: alarm.name,
      alarmDescription: alarm.says,
      namespace: alarm.namespace,
      metricName: alarm.metric,
      dimensions: Object.entries(alarm.dimensions).map(([name, value]) => ({ name, value })),
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

export function renderDashboard(scope: Construct, { dashboard }: Topology): void {
  if (dashboard === undefined) return;
  new CfnDashboard(scope, 'Dashboard', {
    dashboardName: dashboard.name,
    dashboardBody: Stack.of(scope).toJsonString(dashboard.body),
  });
}
