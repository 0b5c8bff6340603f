import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { directoryOf, fit, readRows, rmse } from './line.mjs';

// Hyperparameters come as --name value, data in a channel's folder; the model goes into SM_MODEL_DIR.
const { values } = parseArgs({ options: { ridge: { type: 'string', default: '0.001' } } });
const rows = readRows(directoryOf('SM_CHANNEL_TRAIN'));
const model = fit(rows, Number(values.ridge));
writeFileSync(join(directoryOf('SM_MODEL_DIR'), 'model.json'), JSON.stringify(model));
writeFileSync(
  join(directoryOf('SM_OUTPUT_DATA_DIR'), 'metrics.json'),
  JSON.stringify({ trainRows: rows.length, trainRmse: rmse(model, rows) }),
);
console.log(`y = ${model.slope.toFixed(3)} x + ${model.intercept.toFixed(3)} from ${rows.length} rows`);
