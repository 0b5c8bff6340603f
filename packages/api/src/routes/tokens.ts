import * as z from 'zod';
import { newTokenText, type Token } from '../access.ts';
import { onlyOne } from '../beginnings.ts';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { roleSchema } from '../roles.ts';
import { type Route, route } from '../route.ts';
import { instantText, modelName, signalProblems } from '../shapes.ts';
import { revised } from '../views.ts';
import { given } from './models.ts';

const shown = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  models: z.array(z.string()).optional(),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string().optional(),
});

export const tokenRoutes = ({ access, now, wall, newId }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/tokens',
    summary: 'tokens that are valid or have expired, never their text',
    role: 'admin',
    scope: 'project',
    answers: {
      200: { description: 'all of them', schema: z.object({ tokens: z.array(shown) }) },
      304: { description: 'not newer than If-None-Match' },
    },
    async handle(asked) {
      const { tokens, revision } = await access.list();
      return revised(asked, revision, { tokens: tokens.map(view) });
    },
  }),
  route({
    method: 'post',
    path: '/v1/tokens',
    summary: 'makes a token; its text is shown once, and kept nowhere',
    role: 'admin',
    scope: 'project',
    body: z.strictObject({
      name: z.string().regex(/^[\w.@-]{1,100}$/, { error: 'use letters, digits and . @ - _, at most 100' }),
      role: roleSchema,
      models: z.array(modelName).min(1).max(200).optional(),
      expiresAt: instantText.optional(),
    }),
    answers: {
      201: { description: 'made; `token` is its text', schema: shown.extend({ token: z.string().optional() }) },
    },
    problems: signalProblems,
    shownOnce: ['token'],
    async handle(asked) {
      const { body, caller } = asked;
      const expires = body.expiresAt === undefined ? undefined : Date.parse(body.expiresAt);
      if (expires !== undefined && expires <= wall())
        throw new Problem('invalid', `the end of the token, ${body.expiresAt}, has already passed; choose a later one`);
      const token = {
        id: newId('tok'),
        name: body.name,
        role: body.role,
        createdAt: now(),
        createdBy: caller.actor.subject,
        ...given({ models: body.models, expiresAt: expires }),
      } as Token;
      const text = newTokenText();
      await access.create(token, text, caller.actor, asked);
      return {
        status: 201,
        body: { ...Object(view(token)), token: text },
        headers: { location: `/v1/tokens/${token.id}` },
      };
    },
  }),
  route({
    method: 'delete',
    path: '/v1/tokens/{id}',
    summary: 'revokes a token, at once',
    role: 'admin',
    scope: 'project',
    params: z.object({ id: z.string().min(1).max(100) }),
    answers: { 204: { description: 'revoked' } },
    problems: signalProblems,
    async handle(asked) {
      const { id } = asked.params;
      const ids = (await access.list()).tokens.map((token) => token.id);
      const one = ids.includes(id) ? id : onlyOne(id, ids.filter(beginsWith(id)), (found) => found);
      await access.revoke(one ?? id, asked.caller.actor, asked);
      return { status: 204 };
    },
  }),
];

/** A whole token id is 36 characters; fewer than four digits of one are a slip of the keyboard. */
const beginsWith = (begin: string) => (id: string) =>
  /^(?:tok_)?[0-9a-f]{4,}$/.test(begin) && (id.startsWith(begin) || id.startsWith(`tok_${begin}`));

const view = ({ createdAt, expiresAt, ...token }: Token) => ({
  ...token,
  createdAt: new Date(createdAt).toISOString(),
  ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
});
