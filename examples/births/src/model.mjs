/**
 * Births of a day, as a linear model: a level, one step for each weekday, and a few harmonics of the year.
 *
 * It knows no trend and no holidays, so it ages: what it learned of the level and the weekends stops being true. The
 * births of a week before would tell it, and it does not use them: they are what drift is looked for in.
 */

const dayMs = 86_400_000;
const yearMs = 365.2425 * dayMs;

/** Milliseconds since the epoch of an ISO day at midnight UTC; anything that is not a day of the calendar throws. */
export function parseDay(text) {
  const at =
    typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text) {
    throw new Error(`${JSON.stringify(text) ?? 'nothing'} is not a day: write it as 1975-03-01`);
  }
  return at;
}

/** 1 (the level), six weekday dummies (Monday is the base), then sine and cosine of each harmonic. */
function features(at, harmonics) {
  const weekday = new Date(at).getUTCDay();
  const dummies = [2, 3, 4, 5, 6, 0].map((day) => (day === weekday ? 1 : 0));
  const waves = Array.from({ length: harmonics }, (_, index) => {
    const angle = (2 * Math.PI * (index + 1) * at) / yearMs;
    return [Math.sin(angle), Math.cos(angle)];
  });
  return [1, ...dummies, ...waves.flat()];
}

/** Ordinary least squares over rows `{at, births}`; too few or too alike rows throw. */
export function fit(rows, harmonics) {
  const inputs = rows.map(({ at }) => features(at, harmonics));
  const width = features(0, harmonics).length;
  if (rows.length < width) throw new Error(`too little data: ${rows.length} days for ${width} coefficients`);
  const gram = Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => inputs.reduce((sum, x) => sum + x[i] * x[j], 0)),
  );
  const moments = Array.from({ length: width }, (_, i) => inputs.reduce((sum, x, n) => sum + x[i] * rows[n].births, 0));
  return { harmonics, coefficients: solve(gram, moments) };
}

/** Births on the day that begins at `at`. */
export function predict(model, at) {
  return features(at, model.harmonics).reduce((sum, value, index) => sum + value * model.coefficients[index], 0);
}

/** `mape` is a share (0.02 is two percent); `rmse` and `bias` (predicted less observed) are births a day. */
export function score(model, rows) {
  const errors = rows.map(({ at, births }) => predict(model, at) - births);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mape: mean(errors.map((error, index) => Math.abs(error) / rows[index].births)),
    rmse: Math.sqrt(mean(errors.map((error) => error * error))),
    bias: mean(errors),
  };
}

/** Solves a symmetric positive definite system by Cholesky's factors. */
function solve(matrix, right) {
  const lower = matrix.map(() => []);
  for (const [i, row] of matrix.entries()) {
    for (let j = 0; j <= i; j += 1) {
      const rest = row[j] - dot(lower[i], lower[j], j);
      if (i === j && rest <= 1e-9 * row[i])
        throw new Error('the days are too alike: give at least a year of every weekday');
      lower[i][j] = i === j ? Math.sqrt(rest) : rest / lower[j][j];
    }
  }
  const half = [];
  for (const [i, row] of lower.entries()) half[i] = (right[i] - dot(row, half, i)) / row[i];
  const solution = [];
  for (let i = lower.length - 1; i >= 0; i -= 1) {
    const known = lower.slice(i + 1).reduce((sum, row, n) => sum + row[i] * solution[i + 1 + n], 0);
    solution[i] = (half[i] - known) / lower[i][i];
  }
  return solution;
}

function dot(a, b, length) {
  let sum = 0;
  for (let n = 0; n < length; n += 1) sum += a[n] * b[n];
  return sum;
}
