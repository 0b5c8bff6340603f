import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDay } from './model.mjs';

const columns = 'day,lastWeek,births';

/** All days of the CSV files in a channel, `{at, births}` ascending by day; a line that cannot be read throws. */
export function readDays(directory) {
  const files = readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.csv'));
  const rows = files.sort().flatMap((name) => readCsv(name, readFileSync(join(directory, name), 'utf8')));
  if (rows.length === 0) throw new Error(`no rows in ${directory}: expected CSV files with the columns ${columns}`);
  return rows.sort((a, b) => a.at - b.at);
}

function readCsv(name, text) {
  const [header, ...lines] = text.split(/\r?\n/);
  if (header !== columns) throw new Error(`${name}:1: the header is '${header}', expected '${columns}'`);
  return lines.flatMap((line, index) => (line === '' ? [] : [readLine(`${name}:${index + 2}`, line)]));
}

function readLine(where, line) {
  const [day, , births, ...more] = line.split(',');
  if (more.length > 0 || !/^\d+$/.test(births ?? '') || Number(births) === 0) {
    throw new Error(`${where}: '${line}' is not a day, the births of a week before, and a count of births above 0`);
  }
  try {
    return { at: parseDay(day), births: Number(births) };
  } catch (error) {
    throw new Error(`${where}: ${error.message}`, { cause: error });
  }
}

/** The model that training left in a directory; a file of another shape throws. */
export function readModel(directory) {
  const model = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8'));
  const { harmonics, coefficients } = model;
  if (
    !Array.isArray(coefficients) ||
    coefficients.length !== 7 + 2 * harmonics ||
    !coefficients.every(Number.isFinite)
  ) {
    throw new Error(`${join(directory, 'model.json')} is not a model of this trainer: train it again`);
  }
  return model;
}

export function writeJson(directory, name, value) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
}

/** The directory that the training contract names in a variable. */
export function directoryOf(variable) {
  const directory = process.env[variable];
  if (!directory) throw new Error(`${variable} is not set: run this as a job, or set it to a directory`);
  return directory;
}

/** Runs a job: its message and exit code 1 when it fails. */
export function runJob(job) {
  try {
    job();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
