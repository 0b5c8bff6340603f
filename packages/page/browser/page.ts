import { act } from './act.ts';
import { copy } from './copy.ts';
import { keepLive } from './live.ts';
import { session } from './session.ts';

session();
act();
copy();
keepLive();
