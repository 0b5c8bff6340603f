import type { Json } from '../base/json.ts';
import { instant } from '../base/time.ts';
import { heldBy } from './between/offer.ts';
import { unreadyText } from './endpoint/endpoint.ts';
import { intakeNews } from './intake/intake.ts';
import { firingText } from './monitor/monitor.ts';
import { untoldTexts } from './notified.ts';
import { candidateWeight, type Rollout } from './rollout/state.ts';
import type { Run } from './run/state.ts';
import type { Model } from './state.ts';
import { versionOf } from './version.ts';

/** The row of the model in lists. */
export function modelSummary(model: Model): Json {
  const { run, rollout, champion, offered } = model;
  return JSON.parse(
    JSON.stringify({
      model: model.model,
      at: model.at,
      champion,
      since:
        champion === undefined ? undefined : timeOf(model.served.findLast(({ version }) => version === champion)?.at),
      run: run === undefined ? undefined : runSummary(run),
      job: run !== undefined && 'job' in run ? run.job.id : undefined,
      rollout: rollout === undefined ? undefined : rolloutSummary(rollout),
      endpoint: model.endpoint.status,
      unready: unreadyText(model.endpoint)[0]?.slice(0, 150),
      intake: model.intake.status,
      settlesAt: model.intake.status === 'settling' ? timeOf(model.intake.quietUntil) : undefined,
      data: intakeNews(model.intake).join('; ').slice(0, 150) || undefined,
      offered: offered?.version,
      approval: offered === undefined ? undefined : versionOf(model.versions, offered.version)?.approval?.status,
      firing: firingText(model.monitor) || undefined,
      holds: heldBy(model).length > 0 ? offered?.version : undefined,
      untold: untoldTexts(model).join('; ').slice(0, 150) || undefined,
      retired: model.retired,
      frozen: model.freeze === undefined ? undefined : true,
    }),
  );
}

const timeOf = (at: number | undefined): string | undefined => (at === undefined ? undefined : instant(at));

const runSummary = (run: Run) => ({
  id: run.id,
  status: run.status,
  step: 'job' in run ? run.job.part : undefined,
  startedAt: instant(run.startedAt),
  endedAt: 'endedAt' in run ? instant(run.endedAt) : undefined,
});

/** `until`: when a bake, a guard, a pause or a hold ends. */
const rolloutSummary = (rollout: Rollout) => ({
  id: rollout.id,
  status: rollout.status,
  candidate: rollout.candidate,
  weight: candidateWeight(rollout),
  until: timeOf(
    'until' in rollout && !('endsAt' in rollout) ? rollout.until : 'endsAt' in rollout ? rollout.endsAt : undefined,
  ),
  endedAt: 'endedAt' in rollout ? instant(rollout.endedAt) : undefined,
});
