import { caseNamed } from './cases.ts';
import { performTasks } from './perform.ts';

performTasks(caseNamed);
