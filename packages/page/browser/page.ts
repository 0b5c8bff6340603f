import { act } from './act.ts';
import { address } from './address.ts';
import { clock } from './clock.ts';
import { copy } from './copy.ts';
import { drop } from './drop.ts';
import { keepLive } from './live.ts';
import { log } from './log.ts';
import { plots } from './plots.ts';
import { session } from './session.ts';
import { verify } from './verify.ts';

session();
act();
copy();
drop();
clock();
plots();
log();
address();
verify();
keepLive();
// Scripts have run: what a person presses from here on is heard.
document.documentElement.dataset.ready = 'yes';
