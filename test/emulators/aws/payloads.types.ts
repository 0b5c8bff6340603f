import type {
  CloudWatchAlarmEvent,
  EventBridgeEvent,
  S3Event,
  S3ObjectCreatedNotificationEvent,
  SNSMessage,
  SQSEvent,
} from '../../../functions/aws/node_modules/@types/aws-lambda/index.d.ts';
import alarm from '../../events/aws/alarm.json' with { type: 'json' };
import composite from '../../events/aws/alarm-composite.json' with { type: 'json' };
import suppressed from '../../events/aws/alarm-composite-suppressed.json' with { type: 'json' };
import maths from '../../events/aws/alarm-maths.json' with { type: 'json' };
import alarmInSns from '../../events/aws/alarm-sns.json' with { type: 'json' };
import endpoint from '../../events/aws/endpoint-in-service.json' with { type: 'json' };
import pack from '../../events/aws/package-approved.json' with { type: 'json' };
import created from '../../events/aws/s3-created.json' with { type: 'json' };
import notification from '../../events/aws/s3-notification.json' with { type: 'json' };
import several from '../../events/aws/s3-notification-several.json' with { type: 'json' };
import batch from '../../events/aws/sqs-batch.json' with { type: 'json' };
import training from '../../events/aws/training-failed.json' with { type: 'json' };

/**
 * The payloads of test/events held against what others wrote of them: the types of DefinitelyTyped. Nothing runs here;
 * `tsc -p functions/aws` fails when a payload lacks a field, or has one of another type.
 */
export const held = {
  created: created satisfies Wide<S3ObjectCreatedNotificationEvent>,
  notifications: [notification, several] satisfies Wide<S3Event>[],
  batch: batch satisfies Wide<SQSEvent>,
  // Lambda's own event of SNS spells two fields otherwise than the message in a queue does.
  alarmInSns: alarmInSns satisfies Wide<Omit<SNSMessage, 'SigningCertUrl' | 'UnsubscribeUrl' | 'MessageAttributes'>>,
  // EventBridge's detail of an alarm is the `alarmData` of the event that an alarm sends to Lambda itself.
  alarms: [alarm.detail, maths.detail] satisfies Wide<CloudWatchAlarmEvent['alarmData']>[],
  composites: [composite.detail, suppressed.detail] satisfies Wide<CloudWatchAlarmEvent['alarmData']>[],
  envelopes: [alarm, maths, composite, created, training, endpoint, pack] satisfies Wide<
    EventBridgeEvent<string, unknown>
  >[],
};

/** A type whose literals are what an import of JSON makes of them. */
type Wide<Type> = Type extends string
  ? string
  : Type extends number
    ? number
    : Type extends boolean
      ? boolean
      : { [Name in keyof Type]: Wide<Type[Name]> };
