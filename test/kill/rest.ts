import { modelOwes } from '@serin/core/model/owed';
import type { Model } from '@serin/core/model/state';
import { type Project, projectOwes } from '@serin/core/project/project';
import type { Audit } from './audit.ts';

/** What still moves, or is owed although it could be paid; nothing: the system has come to rest. */
export function restless(audit: Audit): readonly string[] {
  const now = Date.now();
  const project = audit.state('project') as Project | undefined; // written by the engine
  if (project === undefined) return ['there is no project'];
  const { slots, waiting, grants } = project;
  const shared = Object.entries({ slots, waiting, grants }).filter(([, held]) => Object.keys(held).length > 0);
  return [
    ...(project.status === 'spreading' ? ['the project is spreading'] : []),
    ...shared.map(([what, held]) => `the project has ${what}: ${Object.keys(held)}`),
    ...projectOwes(project).map(({ key }) => `the project owes ${key}`),
    ...modelsOf(audit).flatMap((model) => restlessModel(model, now).map((what) => `${model.model}: ${what}`)),
  ];
}

function restlessModel(model: Model, now: number): readonly string[] {
  const { run, rollout, intake, endpoint, queued } = model;
  return [
    ...(run === undefined || 'endedAt' in run ? [] : [`run ${run.id} is ${run.status}`]),
    ...(rollout === undefined || 'endedAt' in rollout ? [] : [`rollout ${rollout.id} is ${rollout.status}`]),
    ...(intake.status === 'idle' ? [] : [`intake is ${intake.status}`]),
    ...(endpoint.status === 'absent' || endpoint.status === 'converged' ? [] : [`endpoint is ${endpoint.status}`]),
    ...(queued === undefined ? [] : ['a run is queued']),
    ...modelOwes(model, now).map(({ key }) => `owes ${key}: ${model.debts[key]?.because ?? 'not paid yet'}`),
  ];
}

export const modelsOf = (audit: Audit): readonly Model[] =>
  audit.streams('model/').map((stream) => audit.state(stream) as Model); // written by the engine
