import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instant } from '../../packages/core/src/base/time.ts';
import { planOf, type Traffic } from '../../packages/core/src/model/model.fixture.ts';
import { endings } from '../../packages/core/src/model/rollout/endings.fixture.ts';
import { challenge, type GivenModel, rolloutOf, until } from '../../packages/core/src/model/rollout/judge.fixture.ts';
import { seriesReader } from '../../packages/core/src/model/rollout/series.ts';
import { drawPlot } from '../../packages/page/src/plot/draw.ts';
import { certificateStrip } from '../../packages/page/src/views/rollout-plots.ts';

/** The pictures of docs/rollout.md: rollouts under drawn traffic, through the machine, as the page draws them. */

const page = join(import.meta.dirname, '..', '..', 'packages', 'page', 'browser');
const width = 820;

export interface Story {
  readonly traffic: Traffic;
  readonly plan?: GivenModel;
}

const arms = (v1: number, v2: number) => ({ v1, v2 });
const latencyToo = { rollout: { steps: [5, 25, 50], bake: '15m', guard: '15m' } } satisfies GivenModel;

export const stories = {
  'rollout-taken-back': { traffic: { perMinute: 1200, failing: arms(0.005, 0.011) }, plan: latencyToo },
  'rollout-promoted': { traffic: { perMinute: 1200, failing: arms(0.005, 0.005) }, plan: latencyToo },
} satisfies Readonly<Record<string, Story>>;

/** What a certificate says of one of them, as a quotation. */
export const sentenceBlock = (): string => `> ${rolloutOf(endings['more errors']()).certificate?.sentence}`;

/** An SVG file that is its own page: with the colours of the page, light and dark. */
export function pictureOf({ traffic, plan = {} }: Story): string {
  const world = challenge(planOf(plan), 60);
  const { id, candidate, stable, startedAt } = until(world, { ...traffic, draw: dice(7) }, 'promoted', 'rolledBack');
  const reader = seriesReader(id);
  reader.take(world.drive.entries);
  const series = reader.series();
  const ended = rolloutOf(world);
  if (series === undefined || stable === undefined || !('endedAt' in ended)) throw new Error('it did not end');
  const told = <At extends { readonly at: number }>(list: readonly At[]) =>
    list.map((each) => ({ ...each, at: instant(each.at) }));
  const svg = drawPlot(
    certificateStrip({
      evidence: { ...series, weights: told(series.weights), points: told(series.points) },
      candidate: `v${candidate}`,
      stable: `v${stable}`,
      from: startedAt,
      to: ended.endedAt,
    }),
    width,
  );
  return `${svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" class="plot" ').replace('</desc>', `</desc><style>${style()}</style>`)}\n`;
}

/** The tokens of the page and the classes of its plots. In a file of its own the picture itself is `.plot`. */
function style(): string {
  const [base, plots] = ['base.css', 'plots.css'].map((file) => readFileSync(join(page, file), 'utf8'));
  const tokens = /^:root \{[\s\S]*?\n\}\n@media[\s\S]*?\n\}\n/m.exec(base ?? '')?.[0] ?? '';
  const classes = (plots ?? '').replaceAll('.plot svg', '').slice(0, plots?.indexOf('.legend'));
  return `${tokens}${classes}svg{background:var(--paper)}`.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\s+/g, ' ');
}

/** Counts as chance has them, about as many as expected: Poisson, from a seed (mulberry32). */
function dice(seed: number): NonNullable<Traffic['draw']> {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return (expected, of = Number.POSITIVE_INFINITY) => {
    if (expected > 50) return Math.max(0, Math.min(of, Math.round(expected + Math.sqrt(expected) * normal())));
    let count = 0;
    for (let product = next(); product > Math.exp(-expected); product *= next()) count += 1;
    return Math.min(of, count);
  };
}
