import { type FactOf, unrouted } from '@serin/core/inbound/fact';
import type { Fields } from '@serin/platform/fields';

/** An alert of Azure Monitor in the common alert schema. */
export const alarmFromAlert = (_: Fields): FactOf<'alarm'> | FactOf<'unrouted'> =>
  unrouted('an alert of Azure Monitor');
