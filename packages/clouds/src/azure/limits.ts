import type { CompiledConfig } from '@serin/core/config/config';
import type { ConfigProblem } from '@serin/core/config/problems';
import { type CloudLimit, noSecretsByName, problemsWith } from '../limits.ts';
import { instanceTypes } from './instance-types.ts';

export const limits: readonly CloudLimit[] = [
  ...noSecretsByName(
    'a secret by name is looked up on one machine and on aws only: let the program read it from the secrets of azure itself',
  ),
];

export const problemsOf = (config: CompiledConfig): readonly ConfigProblem[] =>
  problemsWith({ limits, instanceTypes }, config);
