import * as z from 'zod';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { roleSchema, rolesOf } from '../roles.ts';
import { type Route, route } from '../route.ts';
import { csrfHeader, sessionCookie } from '../session.ts';

export const sessionRoutes = ({ access, platform }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/v1/caller',
    summary: 'whose token this is, and what it may do',
    role: 'viewer',
    scope: 'models',
    answers: {
      200: {
        description: 'the caller',
        schema: z.object({
          name: z.string(),
          role: roleSchema,
          /** The roles whose routes it may use. */
          may: z.array(roleSchema),
          models: z.array(z.string()).optional(),
        }),
      },
    },
    handle: ({ caller: { actor, models } }) => ({
      status: 200,
      body: {
        name: actor.subject,
        role: actor.role,
        may: rolesOf(actor.role),
        ...(models === undefined ? {} : { models }),
      },
    }),
  }),
  route({
    method: 'post',
    path: '/session',
    summary: 'signs the page in with a token: sets a cookie that no script can read',
    role: 'public',
    scope: 'models',
    // Another origin cannot send this header without being asked first, so it cannot sign somebody in.
    admits: (header) => {
      if (header(csrfHeader) === undefined)
        throw new Problem(
          'forbidden',
          `only the page signs in here; send ${csrfHeader}, or use the token as a bearer token`,
        );
    },
    maxBytes: 2_000,
    body: z.strictObject({
      token: z.string().regex(/^[\x21-\x3a\x3c-\x7e]{1,512}$/, {
        error: 'must be printable ASCII without blanks and semicolons, at most 512 characters',
      }),
    }),
    answers: { 204: { description: 'signed in' } },
    problems: [401],
    async handle({ body, header }) {
      if ((await access.callerOf(body.token)) === undefined)
        throw new Problem('unauthenticated', 'the token is unknown, revoked or expired; use another one');
      return { status: 204, headers: { 'set-cookie': sessionCookie(body.token, platform, header) } };
    },
  }),
  route({
    method: 'delete',
    path: '/session',
    summary: 'signs the page out',
    role: 'public',
    scope: 'models',
    answers: { 204: { description: 'signed out' } },
    handle: ({ header }) => ({ status: 204, headers: { 'set-cookie': sessionCookie('', platform, header) } }),
  }),
];
