import { performTasks } from '../bench-judge/perform.ts';
import { caseNamed } from './cases.ts';

performTasks(caseNamed);
