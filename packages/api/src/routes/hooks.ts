import { modelIn, signalsOf } from '@serin/core/inbound/fact';
import { routesOf } from '@serin/core/inbound/route';
import { withKnownEnds } from '@serin/core/model/monitor/monitor';
import type { Actor } from '@serin/core/ports/journal';
import * as z from 'zod';
import { mediaType } from '../bodies.ts';
import {
  alertSenders,
  formMedia,
  type Push,
  readAlerts,
  readGithubPush,
  readStandardPush,
  standardBody,
} from '../hooks.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { type Answer, type Asked, type Route, route } from '../route.ts';
import { githubSigned, standardSigned } from '../signatures.ts';
import { visibleTo } from '../visible.ts';
import { answerOf, resultOf, results } from './events.ts';

const maxPayload = 5_000_000;
/** How old a Standard Webhooks message may be, and how far ahead. */
const toleranceMs = 5 * 60_000;

const taken = z.union([results, z.object({ outcome: z.string(), because: z.string() })]);
const answers = {
  200: { description: 'nothing to do, and why', schema: taken },
  202: { description: 'committed', schema: taken },
} as const;

export const hookRoutes = (api: Api): readonly Route[] => [
  route({
    method: 'post',
    path: '/v1/hooks/github',
    summary:
      'a webhook of GitHub, signed with SERIN_GITHUB_SECRET: a push to the repository and ref of a model starts its run',
    role: 'signed',
    admits: (header) => signedWith(api.secrets.github, 'SERIN_GITHUB_SECRET', header('x-hub-signature-256')),
    scope: 'models',
    media: ['application/json', formMedia],
    maxBytes: maxPayload,
    answers,
    problems: [400, 401, 409, 415, 422, 503],
    async handle(asked) {
      const secrets = api.secrets.github;
      const signature = asked.header('x-hub-signature-256') ?? '';
      if (!(await githubSigned(secrets, asked.raw, signature)))
        throw new Problem(
          'unauthenticated',
          'the X-Hub-Signature-256 does not fit this body; sign it with a secret of this hook',
        );
      const event = asked.header('x-github-event') ?? '';
      if (event === 'ping') return ignored('a ping; the hook works');
      const delivery = idOf(asked, 'x-github-delivery');
      if (event !== 'push') return ignored(`'${event.slice(0, 60)}' starts nothing: only a push does`);
      const media = mediaOf(asked, 'application/json', formMedia);
      const push = readGithubPush(asked.raw, media);
      return 'ignored' in push ? ignored(push.ignored) : pushed(api, 'github', push, `github/${delivery}`);
    },
  }),
  route({
    method: 'post',
    path: '/v1/hooks/standard',
    summary: `a webhook under the Standard Webhooks rules, signed with SERIN_WEBHOOK_SECRET, with {${Object.keys(standardBody.shape).join(', ')}}`,
    role: 'signed',
    admits: (header) => signedWith(api.secrets.standard, 'SERIN_WEBHOOK_SECRET', header('webhook-signature')),
    scope: 'models',
    media: ['application/json'],
    maxBytes: maxPayload,
    answers,
    problems: [400, 401, 409, 415, 422, 503],
    async handle(asked) {
      const secrets = api.secrets.standard;
      const id = idOf(asked, 'webhook-id');
      const timestamp = asked.header('webhook-timestamp') ?? '';
      const message = { id, timestamp, body: asked.raw };
      if (!(await standardSigned(secrets, message, asked.header('webhook-signature') ?? '')))
        throw new Problem(
          'unauthenticated',
          'the webhook-signature does not fit this message; sign it with a secret of this hook',
        );
      if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Number(timestamp) * 1000 - api.wall()) > toleranceMs)
        throw new Problem(
          'unauthenticated',
          'the webhook-timestamp is more than five minutes from now; set the clock of the sender and send again',
        );
      mediaOf(asked, 'application/json');
      return pushed(api, 'webhook', readStandardPush(asked.raw), `standard/${id}`);
    },
  }),
  alertHook(api, 'alertmanager'),
  alertHook(api, 'grafana'),
];

function alertHook(api: Api, sender: keyof typeof alertSenders): Route {
  return route({
    method: 'post',
    path: `/v1/hooks/${sender}`,
    summary: `${alertSenders[sender].what}; the label 'serin_model', 'model' or 'endpoint' names the model`,
    role: 'operator',
    scope: 'models',
    media: ['application/json'],
    maxBytes: maxPayload,
    answers: {
      200: { description: 'nothing to do, and why', schema: results },
      202: { description: 'committed', schema: results },
    },
    problems: [409, 415],
    async handle(asked) {
      mediaOf(asked, 'application/json');
      const config = await api.config();
      const routes = routesOf(config ?? { models: {} });
      const alerts = await Promise.all(
        readAlerts(sender, asked.raw).map(async ({ id, says, ...fact }) => {
          const [found] = await signalsOf({ ...fact, id, says }, routes);
          const name = found === undefined ? '' : modelIn(found.stream);
          return { id, signal: says, model: asked.project.sees(name) ? name : '' };
        }),
      );
      if (alerts.length > 0 && alerts.every(({ model }) => model === ''))
        throw new Problem(
          'invalid',
          "the alerts name no model of this token; give it in the label 'serin_model', 'model' or 'endpoint'",
        );
      const rows: z.infer<typeof results>['results'] = [];
      for (const { model, id, signal } of withKnownEnds(alerts, ({ model }) => model))
        rows.push(
          model === ''
            ? { id: signal.fingerprint, model, outcome: 'ignored', because: 'its labels name no model of this token' }
            : resultOf(signal.fingerprint, model, await asked.project.tell(model, signal, id)),
        );
      return { status: rows.some(({ outcome }) => outcome === 'accepted') ? 202 : 200, body: { results: rows } };
    },
  });
}

/** Starts the runs of the models that the config lets this repository and ref start: no other. */
async function pushed(api: Api, from: 'github' | 'webhook', push: Push, id: string): Promise<Answer> {
  const routes = routesOf((await api.config()) ?? { models: {} });
  const found = await signalsOf({ kind: 'push', id, from, ...push }, routes);
  if (found.length === 0) return ignored(`no model is started by a push to ${push.ref} of ${push.repository}`);
  const actor = { subject: push.by, issuer: from, role: 'operator' } as const satisfies Actor;
  const { engine, ports, now, nudge } = api;
  const models = found.map(({ stream }) => modelIn(stream));
  const project = visibleTo({ token: from, actor, models }, { engine, journal: ports.journal, now, nudge });
  const rows = [];
  for (const { stream, signal } of found)
    rows.push(resultOf(id, modelIn(stream), await project.tell(modelIn(stream), signal, id)));
  return answerOf(rows);
}

type Given = Pick<Asked<unknown, unknown, unknown>, 'header'>;

const ignored = (because: string): Answer => ({ status: 200, body: { outcome: 'ignored', because } });

function signedWith(secrets: readonly string[], variable: string, signature: string | undefined): void {
  if (secrets.length === 0)
    throw new Problem(
      'notConfigured',
      `this hook has no secret; start the server with ${variable}, or on AWS put it into the installation's parameter (infra/aws/README.md)`,
    );
  if (signature === undefined)
    throw new Problem('unauthenticated', 'the request has no signature; sign it with a secret of this hook');
}

function idOf(asked: Given, name: string): string {
  const id = asked.header(name) ?? '';
  if (!/^[\w.:-]{1,200}$/.test(id))
    throw new Problem(
      'malformed',
      `the header ${name} is missing or not valid; send 1 to 200 letters, digits and _ . : -`,
    );
  return id;
}

/** The media type of the body; 415 when it is not one of these. */
function mediaOf(asked: Given, ...takes: readonly string[]): string {
  const media = mediaType(asked.header('content-type'));
  if (!takes.includes(media))
    throw new Problem('unsupportedMedia', `the media type of the body is not supported; send ${takes.join(' or ')}`);
  return media;
}
