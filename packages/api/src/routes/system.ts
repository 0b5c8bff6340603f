import * as z from 'zod';
import type { Api } from '../options.ts';
import { Problem } from '../problem.ts';
import { openAtHome } from '../roles.ts';
import { type Route, route } from '../route.ts';

const fine = { 200: { description: 'yes', schema: z.object({ status: z.literal('ok') }) } } as const;

export const systemRoutes = ({ ports, probe, version, environment, platform, metrics }: Api): readonly Route[] => [
  route({
    method: 'get',
    path: '/livez',
    summary: 'the process answers; nothing else is looked at',
    role: 'public',
    scope: 'models',
    answers: fine,
    handle: () => ({ status: 200, body: { status: 'ok' } }),
  }),
  route({
    method: 'get',
    path: '/readyz',
    summary: 'the store takes writes',
    role: openAtHome(platform),
    scope: 'models',
    answers: fine,
    problems: [503],
    async handle() {
      await (probe?.() ?? ports.journal.head('project')).catch(() => {
        const detail = 'the store cannot be written to; look in the log of the server for the reason';
        throw new Problem('notConfigured', detail, { headers: { 'retry-after': '5' } });
      });
      return { status: 200, body: { status: 'ok' } };
    },
  }),
  route({
    method: 'get',
    path: '/version',
    summary: 'what runs here',
    role: 'public',
    scope: 'models',
    answers: {
      200: {
        description: 'the version',
        schema: z.object({ version: z.string(), environment: z.string(), platform: z.string() }),
      },
    },
    handle: () => ({ status: 200, body: { version, environment, platform } }),
  }),
  route({
    method: 'get',
    path: '/metrics',
    summary: 'counters, in OpenMetrics text where it is asked for, else in that of Prometheus',
    role: 'viewer',
    scope: 'project',
    answers: {
      200: { description: 'the counters; application/openmetrics-text where that is asked for', media: 'text/plain' },
    },
    problems: [501],
    handle({ header }) {
      if (metrics === undefined)
        throw new Problem(
          'notImplemented',
          'this installation has no counters of its own; read the metrics of its cloud',
        );
      const isOpen = header('accept')?.includes('application/openmetrics-text') ?? false;
      const type = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
      return { status: 200, body: metrics(isOpen), headers: { 'content-type': `${type}; charset=utf-8` } };
    },
  }),
];
