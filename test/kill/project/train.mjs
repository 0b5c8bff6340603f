import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { KILL_EXECUTIONS, TRAINING_JOB_NAME, SM_MODEL_DIR } = process.env;
appendFileSync(KILL_EXECUTIONS, `start ${TRAINING_JOB_NAME}\n`);
await sleep(100 + Math.random() * 300);
writeFileSync(join(SM_MODEL_DIR, 'model.json'), JSON.stringify({ trainedBy: TRAINING_JOB_NAME }));
appendFileSync(KILL_EXECUTIONS, `end ${TRAINING_JOB_NAME}\n`);
