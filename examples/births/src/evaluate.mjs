import { directoryOf, readDays, readModel, runJob, writeJson } from './files.mjs';
import { score } from './model.mjs';

/** Scores one model on the hold-out: mape as a share, rmse and bias (predicted less observed) in births a day. */
runJob(() => {
  const holdout = readDays(directoryOf('SM_CHANNEL_HOLDOUT'));
  const { mape, rmse, bias } = score(readModel(directoryOf('SM_CHANNEL_MODEL')), holdout);
  writeJson(directoryOf('SM_OUTPUT_DATA_DIR'), 'metrics.json', { mape, rmse, bias });
  console.log(`${holdout.length} days: mape ${mape.toFixed(4)}, rmse ${rmse.toFixed(1)}, bias ${bias.toFixed(1)}`);
});
