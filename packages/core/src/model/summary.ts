import type { Json } from '../base/json.ts';
import { heldBy } from './between/offer.ts';
import { unreadyText } from './endpoint/endpoint.ts';
import { intakeNews } from './intake/intake.ts';
import { firingText } from './monitor/monitor.ts';
import { untoldTexts } from './notified.ts';
import type { Model } from './state.ts';

/** The row of the model in lists. */
export function modelSummary(model: Model): Json {
  const { run, rollout, champion, offered } = model;
  return JSON.parse(
    JSON.stringify({
      model: model.model,
      at: model.at,
      champion,
      run: run === undefined ? undefined : { id: run.id, status: run.status },
      job: run !== undefined && 'job' in run ? run.job.id : undefined,
      rollout:
        rollout === undefined ? undefined : { id: rollout.id, status: rollout.status, candidate: rollout.candidate },
      endpoint: model.endpoint.status,
      unready: unreadyText(model.endpoint)[0]?.slice(0, 150),
      intake: model.intake.status,
      data: intakeNews(model.intake).join('; ').slice(0, 150) || undefined,
      offered: offered?.version,
      firing: firingText(model.monitor) || undefined,
      holds: heldBy(model).length > 0 ? offered?.version : undefined,
      untold: untoldTexts(model).join('; ').slice(0, 150) || undefined,
      retired: model.retired,
      frozen: model.freeze === undefined ? undefined : true,
    }),
  );
}
