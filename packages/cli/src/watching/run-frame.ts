import { shortId } from '@serin/core/base/ids';
import { bytesText, countText } from '@serin/core/base/numbers';
import { durationText } from '@serin/core/base/time';
import { stepNames } from '@serin/core/config/parts';
import { type GateVerdict, gateText } from '@serin/core/model/run/gate';
import type { Document } from '../client.ts';
import { stateColour, textOf } from '../table.ts';
import { paragraph } from '../width.ts';
import { type Mark, marked, type Reader } from './parts.ts';

/** What a frame shows of a run, as the API answers it, with the end of its log. */
export interface RunDocument extends Document {
  readonly id: string;
  readonly model: string;
  readonly status: string;
  readonly startedAt: string;
}

const wrong = ['failed', 'refused', 'cancelled'];
const logLines = 8;

/** A run in one look: its steps with what each took, the gate, and the end of its log. */
export function runFrame(run: RunDocument, log: string, now: number, terminal: Reader): string {
  const { model, status, id } = run;
  const version = Object(run.trained).number;
  const end = timeOf(run.endedAt) ?? now;
  const title = `${terminal.paint('bold', `${model}${typeof version === 'number' ? ` v${version}` : ''}`)}  ${terminal.paint(stateColour(status), status)}, ${durationText(end - Date.parse(run.startedAt))}  ${terminal.paint('dim', shortId(id))}`;
  const lines = log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-logLines);
  return [
    `${title}\n\n`,
    marked('well', datasetText(run), terminal),
    ...stepLines(run, end, terminal),
    gateLine(run, terminal),
    ...(lines.length === 0 ? [] : [`\n${terminal.paint('dim', '  the end of its log')}\n`]),
    ...lines.flatMap((line) => paragraph(`  ${textOf('', line)}`, terminal).map((text) => `${text}\n`)),
  ].join('');
}

const timeOf = (time: unknown): number | undefined => (typeof time === 'string' ? Date.parse(time) : undefined);

function datasetText({ dataset, trigger }: RunDocument): string {
  const { digest = '', objects = 0, bytes = 0 } = Object(dataset);
  return `dataset ${String(digest).slice(0, 12)}: ${countText(Number(objects), 'object')}, ${bytesText(Number(bytes))}; started by ${textOf('', Object(trigger).by ?? Object(trigger).kind)}`;
}

/** A step lasts until the next one begins, or the run ends. */
function stepLines(run: RunDocument, end: number, terminal: Reader): readonly string[] {
  const began = Object(run.began) as Readonly<Record<string, string>>;
  const seen = stepNames.filter((name) => began[name] !== undefined);
  const later = run.endedAt === undefined ? stepNames.slice(stepNames.indexOf(seen.at(-1) ?? 'prepare') + 1) : [];
  const isNext = (name: string) => later.includes(name as (typeof stepNames)[number]) && isPlanned(run, name);
  const width = Math.max(...stepNames.map((name) => name.length));
  const done = seen.map((name, index) => {
    const next = began[seen[index + 1] ?? ''];
    const isLast = next === undefined;
    const mark: Mark = !isLast ? 'well' : markOf(run);
    const attempt = isLast && Number(Object(run.job).attempt) > 1 ? `, attempt ${Object(run.job).attempt}` : '';
    const took = durationText((isLast ? end : Date.parse(next)) - Date.parse(began[name] ?? ''));
    return marked(mark, `${name.padEnd(width)}  ${took}${attempt}`, terminal);
  });
  return [...done, ...stepNames.filter(isNext).map((name) => marked('later', name, terminal))];
}

/** The champion is scored only if the gate compares with it. */
function isPlanned({ plan }: RunDocument, name: string): boolean {
  const { evaluate, split, gate } = Object(plan);
  if (name === 'prepare') return Object(split).kind === 'job';
  if (name === 'train') return true;
  if (name === 'evaluate') return evaluate !== undefined;
  return Object.values(Object(gate)).some((rule) => Object(rule).noWorseBy !== undefined);
}

function markOf({ status, verdict }: RunDocument): Mark {
  if (status === 'registering' || verdict !== undefined || status === 'succeeded') return 'well';
  return wrong.includes(status) ? 'badly' : 'goes';
}

function gateLine(run: RunDocument, terminal: Reader): string {
  const verdict = run.verdict === undefined ? undefined : (Object(run.verdict) as GateVerdict); // of the API's own view
  if (verdict !== undefined) return marked(verdict.passed ? 'well' : 'badly', `gate ${gateText(verdict)}`, terminal);
  if (typeof run.because === 'string')
    return marked(wrong.includes(run.status) ? 'badly' : 'well', run.because, terminal);
  return Object(run.plan).gate === undefined ? '' : marked('later', 'gate', terminal);
}
