import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The directory that the job's environment names. */
export function directoryOf(variable) {
  const directory = process.env[variable];
  if (!directory) throw new Error(`${variable} is not set: Serin sets it for its jobs`);
  return directory;
}

/** All rows `{x, y}` of the CSV files in a folder; a line that is no pair of numbers is an error with its place. */
export function readRows(folder) {
  const files = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.csv'))
    .sort();
  return files.flatMap((name) => {
    const [header, ...lines] = readFileSync(join(folder, name), 'utf8').trim().split(/\r?\n/);
    if (header !== 'x,y') throw new Error(`${name}:1: expected the columns x,y, found '${header}'`);
    return lines.map((line, index) => {
      const [x, y] = line.split(',').map(Number);
      if (!Number.isFinite(x) || !Number.isFinite(y))
        throw new Error(`${name}:${index + 2}: '${line}' is not two numbers`);
      return { x, y };
    });
  });
}

/** Least squares; `ridge` keeps the slope finite when all x are alike. */
export function fit(rows, ridge) {
  if (rows.length === 0) throw new Error('no rows to train on');
  const mean = (of) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const slope = mean(({ x, y }) => (x - mx) * (y - my)) / (mean(({ x }) => (x - mx) ** 2) + ridge);
  return { slope, intercept: my - slope * mx };
}

export const predict = ({ slope, intercept }, x) => slope * x + intercept;

/** Root of the mean squared error. */
export const rmse = (model, rows) =>
  Math.sqrt(rows.reduce((sum, { x, y }) => sum + (predict(model, x) - y) ** 2, 0) / rows.length);

export const readModel = (folder) => JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
