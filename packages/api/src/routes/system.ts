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
    async handle({ header }) {
      if (metrics === undefined)
        throw new Problem(
          'notImplemented',
          'this installation has no counters of its own; read the metrics of its cloud',
        );
      const isOpen = prefersOpenMetrics(header('accept') ?? '');
      const type = isOpen ? 'application/openmetrics-text; version=1.0.0' : 'text/plain; version=0.0.4';
      return { status: 200, body: await metrics(isOpen), headers: { 'content-type': `${type}; charset=utf-8` } };
    },
  }),
];

/** Whether a caller would rather have OpenMetrics than Prometheus text. Nothing else is offered, so other types say nothing. */
function prefersOpenMetrics(accept: string): boolean {
  const weightOf = (wanted: string) =>
    Math.max(
      0,
      ...accept.split(',').map((part) => {
        const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
        const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
        return type === wanted ? Number(quality) || 0 : 0;
      }),
    );
  const open = weightOf('application/openmetrics-text');
  return open > 0 && open >= weightOf('text/plain');
}
