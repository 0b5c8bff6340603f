import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { directoryOf, readModel, readRows, rmse } from './line.mjs';

// The gate reads metrics.json: this model on rows that its training never saw.
const rows = readRows(directoryOf('SM_CHANNEL_HOLDOUT'));
const error = rmse(readModel(directoryOf('SM_CHANNEL_MODEL')), rows);
writeFileSync(join(directoryOf('SM_OUTPUT_DATA_DIR'), 'metrics.json'), JSON.stringify({ rmse: error }));
console.log(`rmse ${error.toFixed(3)} on ${rows.length} rows`);
