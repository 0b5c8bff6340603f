import { parseArgs } from 'node:util';
import { directoryOf, readDays, runJob, writeJson } from './files.mjs';
import { fit, score } from './model.mjs';

/**
 * Trains on the newest `--years` of the train channel: a job under the SageMaker contract.
 *
 * `--fail-share` is the demo's sabotage: a model that carries it is served with that share of its requests failing,
 * so that a rollout has something to take back. It changes nothing that a gate could see.
 */

const yearMs = 365.2425 * 86_400_000;

runJob(() => {
  const given = parseArgs({
    options: {
      years: { type: 'string', default: '3' },
      harmonics: { type: 'string', default: '3' },
      'fail-share': { type: 'string', default: '0' },
    },
  }).values;
  const years = number('years', given.years, (value) => value > 0);
  const harmonics = number(
    'harmonics',
    given.harmonics,
    (value) => Number.isInteger(value) && value >= 0 && value <= 20,
  );
  const failShare = number('fail-share', given['fail-share'], (value) => value >= 0 && value <= 1);

  const days = readDays(directoryOf('SM_CHANNEL_TRAIN'));
  const from = days.at(-1).at - years * yearMs;
  const rows = days.filter(({ at }) => at > from);
  const model = fit(rows, harmonics);
  const { mape, rmse } = score(model, rows);

  const trainedOn = { from: isoDay(rows[0].at), to: isoDay(rows.at(-1).at), days: rows.length };
  writeJson(directoryOf('SM_MODEL_DIR'), 'model.json', {
    ...model,
    trainedOn,
    ...(failShare > 0 ? { failShare } : {}),
  });
  writeJson(directoryOf('SM_OUTPUT_DATA_DIR'), 'metrics.json', {
    trainMape: mape,
    trainRmse: rmse,
    trainDays: rows.length,
  });
  console.log(
    `trained on ${rows.length} days, ${trainedOn.from} to ${trainedOn.to}: mape ${mape.toFixed(4)}, rmse ${rmse.toFixed(1)}`,
  );
});

function number(name, text, allowed) {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!allowed(value)) throw new Error(`--${name} is '${text}', which is not a number it can use`);
  return value;
}

function isoDay(at) {
  return new Date(at).toISOString().slice(0, 10);
}
