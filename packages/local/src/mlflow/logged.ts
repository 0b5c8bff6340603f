import type { LoggedMetric } from '@serin/api/options';
import type { Store } from './store.ts';

const mostMetrics = 100;
const mostPoints = 500;
/** https://tc39.es/ecma262/#sec-time-values-and-time-range: a program may say any time. */
const latest = 8.64e15;

/** What the jobs of a run logged while they ran: of a long history some points, evenly, with the first and the last. */
export const loggedBy =
  (store: Store) =>
  (run: string): readonly LoggedMetric[] =>
    store
      .scopes(run)
      .filter((scope) => scope !== '')
      .flatMap((scope) => store.lastPoints(run, scope).map(({ key }) => ({ scope, key })))
      .slice(0, mostMetrics)
      .map(({ scope, key }) => {
        const [job = '', attempt = '1'] = scope.split('/');
        const points = store
          .history(run, scope, key)
          // NaN and infinity are kept as words.
          .flatMap(({ step, timestamp: at, value }) =>
            typeof value === 'number' ? [{ step, at: Math.min(Math.max(at, 0), latest), value }] : [],
          );
        const every = Math.ceil(points.length / mostPoints);
        const shown = points.filter((_, index) => index % every === 0 || index === points.length - 1);
        return { job, attempt: Number(attempt), name: key, points: shown };
      });
