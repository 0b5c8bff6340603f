import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataset, tableOf } from './rows.mjs';
import { timeOf } from './times.mjs';

/**
 * Serin's splitter: a `prepare` job that cuts the newest or a stable share of a dataset off as hold-out.
 *
 *   node split.mjs --by time --column day --last 20%|500|90d
 *   node split.mjs --by rows --share 20% [--key customer]
 *
 * Reads the channel `data`, writes `train.csv` and `holdout.csv` (or `.ndjson`) into the two outputs, the counts into
 * `metrics.json` and the rule into `split.json`. Each row goes to exactly one side, byte for byte and in its order; line
 * ends become `\n`. Twice: equal bytes. An empty side, or a row that cannot be placed, is an error and exit code 1.
 *
 * By time: rows as new as the cut are all held out, so a side never holds a part of a day. Memory: 16 bytes a row.
 * By rows: a hash of the key, or of the whole row, decides; what was held out once is held out for ever. The share is met
 * on average.
 */

const dayMs = 86_400_000;

/** Splits a dataset folder; answers `{trainRows, holdoutRows, holdoutFrom?}`, times in milliseconds since the epoch. */
export function split({ from, train, holdout, rule }) {
  const data = dataset(from);
  const table = tableOf(data);
  const cut = rule.by === 'time' ? cutByTime(table, rule) : cutByHash(rule);
  const sides = [train, holdout].map((directory, index) =>
    openSide(directory, `${index === 0 ? 'train' : 'holdout'}.${data.format}`, table.header),
  );
  try {
    for (const row of table.rows()) sides[cut.holdsOut(row) ? 1 : 0].write(row.text);
  } finally {
    for (const side of sides) side.close();
  }
  const [trainRows, holdoutRows] = sides.map((side) => side.rows());
  if (trainRows + holdoutRows === 0) throw new Error('the dataset has no rows');
  if (trainRows === 0)
    throw new Error(`all ${holdoutRows} rows would be held out and none be left for training: ${cut.hint}`);
  if (holdoutRows === 0) throw new Error(`none of ${trainRows} rows would be held out: ${cut.hint}`);
  return { trainRows, holdoutRows, ...(cut.from === undefined ? {} : { holdoutFrom: cut.from }) };
}

function cutByTime(table, { column, last }) {
  const read = timeOf(column);
  const collected = [];
  for (const row of table.rows()) collected.push(read(row));
  const times = Float64Array.from(collected).sort();
  const hint = `'--last ${last}' of ${times.length} rows in time order (plain numbers count as milliseconds since 1970)`;
  const from = times[firstHeldOut(times, last)];
  return { from, hint, holdsOut: (row) => from !== undefined && read(row) >= from };
}

/** The index of the oldest row that is held out, in ascending times. */
function firstHeldOut(times, last) {
  if (last.endsWith('d')) {
    const edge = times[times.length - 1] - Number.parseInt(last, 10) * dayMs;
    return times.findIndex((time) => time > edge);
  }
  // The margin takes back what binary fractions add: 4.4 % of 750 is 33, not a hair more.
  const rows = last.endsWith('%') ? Math.ceil((times.length * Number.parseFloat(last)) / 100 - 1e-9) : Number(last);
  return Math.max(0, times.length - rows);
}

function cutByHash({ share, key }) {
  const bound = (Number.parseFloat(share) / 100) * 2 ** 48;
  const textOf = key === undefined ? (row) => Buffer.from(row.text, 'latin1') : keyOf(key);
  const hash = (row) => createHash('sha256').update(textOf(row)).digest().readUIntBE(0, 6);
  const hint = `'--share ${share}' by ${key === undefined ? 'whole rows' : `'${key}'`}: more data or another share is needed`;
  return { hint, holdsOut: (row) => hash(row) < bound };
}

const keyOf = (key) => (row) => {
  const value = row.value(key);
  if (value === '' || !['string', 'number', 'boolean'].includes(typeof value)) {
    throw new Error(
      `${row.where}: '${key}' is ${JSON.stringify(value) ?? 'missing'}, which says nothing about the side of its row`,
    );
  }
  return String(value);
};

function openSide(directory, name, header) {
  mkdirSync(directory, { recursive: true });
  const file = openSync(join(directory, name), 'w');
  let pending = header === undefined ? '' : `${header}\n`;
  let rows = 0;
  const flush = () => {
    writeFileSync(file, pending, 'latin1');
    pending = '';
  };
  return {
    rows: () => rows,
    write(text) {
      rows += 1;
      pending += `${text}\n`;
      if (pending.length > 2 ** 20) flush();
    },
    close() {
      flush();
      closeSync(file);
    },
  };
}

function parseRule(args) {
  const option = { type: 'string' };
  const { values } = parseArgs({
    args,
    options: { by: option, column: option, last: option, share: option, key: option },
  });
  const { by, column, last = '', share = '', key } = values;
  const given = Object.keys(values).every((name) =>
    (by === 'time' ? ['by', 'column', 'last'] : ['by', 'share', 'key']).includes(name),
  );
  if (by === 'time' && given && column && /^(\d{1,2}(\.\d+)?%|\d{1,9}|\d{1,5}d)$/.test(last))
    return { by, column, last };
  if (by === 'rows' && given && key !== '' && /^\d{1,2}(\.\d+)?%$/.test(share))
    return { by, share, ...(key === undefined ? {} : { key }) };
  throw new Error(
    'usage: split.mjs --by time --column <name> --last 20%|500|90d, or --by rows --share 20% [--key <name>]',
  );
}

function directoryOf(variable) {
  const directory = process.env[variable];
  if (!directory) throw new Error(`${variable} is not set: the splitter runs as a prepare job`);
  return directory;
}

function main() {
  const rule = parseRule(process.argv.slice(2));
  const output = directoryOf('SM_OUTPUT_DATA_DIR');
  const counts = split({
    from: directoryOf('SM_CHANNEL_DATA'),
    train: directoryOf('SERIN_OUTPUT_TRAIN'),
    holdout: directoryOf('SERIN_OUTPUT_HOLDOUT'),
    rule,
  });
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'split.json'), `${JSON.stringify({ rule, ...counts })}\n`);
  writeFileSync(join(output, 'metrics.json'), `${JSON.stringify(counts)}\n`);
  const since = counts.holdoutFrom === undefined ? '' : `, from ${new Date(counts.holdoutFrom).toISOString()}`;
  console.log(`${counts.trainRows} rows to train on, ${counts.holdoutRows} held out${since}`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
