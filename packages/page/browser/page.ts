import { keepLive } from './live.ts';
import { session } from './session.ts';

session();
keepLive();
