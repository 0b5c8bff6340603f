import { decodeText, encodeText, sha256Hex } from '@serin/core/base/json';
import { type FactOf, idOf } from '@serin/core/inbound/fact';
import * as z from 'zod';
import { parseJson } from './bodies.ts';
import { Problem, wrongs } from './problem.ts';

/** What a push of commits says; which hook it came to, and under which id, its receiver knows. */
export type Push = Omit<FactOf<'push'>, 'kind' | 'from' | 'id'>;

/** GitHub's default: the JSON is the field `payload`. */
export const formMedia = 'application/x-www-form-urlencoded';

const commit = z.string().regex(/^[0-9a-f]{7,64}$/);

const githubPush = z.looseObject({
  ref: z.string().max(1024),
  after: commit,
  deleted: z.boolean().optional(),
  repository: z.looseObject({ full_name: z.string().max(300) }),
  sender: z.looseObject({ login: z.string().min(1).max(100) }).optional(),
});

/** A verified body of GitHub's `push` event, as JSON or as the form that GitHub sends by default; a deleted ref is no push. */
export function readGithubPush(body: Uint8Array, media = 'application/json'): Push | { readonly ignored: string } {
  const json = media === formMedia ? encodeText(new URLSearchParams(decodeText(body)).get('payload') ?? '') : body;
  const { ref, after, deleted, repository, sender } = parsed(githubPush, json);
  if (deleted || /^0+$/.test(after)) return { ignored: `${ref} was deleted` };
  return { repository: repository.full_name, ref, commit: after, by: sender?.login ?? repository.full_name };
}

export const standardBody = z.strictObject({
  repository: z.string().min(1).max(300),
  ref: z.string().min(1).max(1024),
  commit,
  image: z.string().min(1).max(1024).optional(),
  model: z.string().min(1).max(63).optional(),
});

export function readStandardPush(body: Uint8Array): Push {
  const { image, model, ...push } = parsed(standardBody, body);
  return {
    ...push,
    by: push.repository,
    ...(image === undefined ? {} : { image }),
    ...(model === undefined ? {} : { model }),
  };
}

const labels = z.record(z.string(), z.string());

/** As many alerts as the body's size allows: its sender would never send a refused one again. */
const alertsBody = (version: string) =>
  z.looseObject({
    version: z.literal(version),
    alerts: z.array(
      z.looseObject({
        status: z.enum(['firing', 'resolved']),
        labels,
        annotations: labels.optional(),
        startsAt: z.string().max(64),
        endsAt: z.string().max(64).optional(),
        fingerprint: z.string().min(1).max(200).optional(),
      }),
    ),
  });

/** Who sends alerts with labels: Grafana's contact point speaks the form of Alertmanager under a version of its own. */
export const alertSenders = {
  alertmanager: { what: 'a Prometheus Alertmanager', body: alertsBody('4') },
  grafana: { what: "a webhook contact point of Grafana's alerting", body: alertsBody('1') },
} as const;

/** Labels that may name the model. The first is written for us, and decides; `model` is also what hardware is called. */
const modelLabels = ['serin_model', 'model', 'endpoint'] as const;

/** Alerts with labels. A group that is sent again has equal ids. */
export function readAlerts(sender: keyof typeof alertSenders, body: Uint8Array): readonly FactOf<'alarm'>[] {
  const prefix = sender === 'alertmanager' ? 'am' : sender;
  return parsed(alertSenders[sender].body, body).alerts.map((alert) => {
    const { status, labels: tags, annotations = {}, startsAt, endsAt = '' } = alert;
    const fingerprint = alert.fingerprint ?? sha256Hex(JSON.stringify(Object.entries(tags).sort())).slice(0, 16);
    const sure = tags[modelLabels[0]];
    const names = sure === undefined ? modelLabels.flatMap((label) => tags[label] ?? []) : [sure];
    const raisedAs = idOf(prefix, fingerprint, startsAt, 'firing', '');
    const title = (annotations.summary ?? annotations.description ?? tags.alertname ?? 'alert').slice(0, 500);
    const isFiring = status === 'firing';
    return {
      kind: 'alarm',
      id: isFiring ? raisedAs : idOf(prefix, fingerprint, startsAt, status, endsAt),
      of: { names },
      says: isFiring
        ? { type: 'alertRaised', kind: 'alert', sender, fingerprint, startedAt: startsAt, title }
        : // The start may be that of the firing before, when the sender saw the two as one.
          { type: 'alertResolved', sender, fingerprint, raisedAs },
    };
  });
}

function parsed<Schema extends z.ZodType>(schema: Schema, body: Uint8Array): z.output<Schema> {
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  throw new Problem('invalid', 'the payload is not what this hook takes; correct the fields named in errors', {
    errors: wrongs(result.error),
  });
}
