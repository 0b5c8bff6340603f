import type { IncomingMessage } from 'node:http';
import type { Prediction } from '@serin/platform/prediction';
import type { Assignment, Assignments } from './assignments.ts';
import { type BodyCopy, copyBody, roomOf } from './body-copy.ts';
import type { CaptureOpening, CaptureRule, Captures } from './captures.ts';
import { capturing } from './capturing.ts';
import type { Routed } from './counters.ts';
import type { Follower, Limits, Outcome } from './exchange.ts';
import { type Copy, mirrors } from './mirrors.ts';
import type { Pool } from './model-servers.ts';
import type { Pairs, Side } from './pairs.ts';
import { readPrediction } from './prediction.ts';

/** All bodies that are kept for mirrors; what comes when it is full is dropped. */
const maxRoomBytes = 64 * 1024 * 1024;

/** A request as it was routed. */
export interface Followed {
  readonly request: IncomingMessage;
  readonly requestId: string;
  readonly endpoint: string;
  readonly deployment: string;
  readonly weight: number;
  readonly path: string;
  readonly routed: Routed;
  readonly routedAt: number;
  /** How long a silence may last. */
  readonly timeoutMs: number;
  /** It is to be copied to this deployment. */
  readonly mirror?: { readonly deployment: string; readonly pool: Pool | undefined };
  /** It is to be remembered for its label. */
  readonly isRemembered: boolean;
  /** It was chosen to be captured. */
  readonly capture: CaptureRule | undefined;
  /** Where the prediction is in an answer; default: the usual places. */
  readonly pointer: string | undefined;
  /** How the mirror is asked; default: as it came. */
  readonly as?: Copy['as'];
}

export interface Followers {
  follow(what: Followed): Follower;
  /** Gives up the copies that are under way. Their pairs count nowhere. */
  close(): void;
}

interface Options {
  readonly pairs: Pairs | undefined;
  readonly assignments: Assignments | undefined;
  readonly captures: Captures | undefined;
  /** Milliseconds since the epoch; never goes back. */
  readonly time: () => number;
  readonly limits: Pick<Limits, 'maxBodyBytes'>;
}

/** Followers of the requests that are remembered, mirrored, captured, or several of these. */
export function followers({ pairs, assignments, captures, time, limits }: Options): Followers {
  const queues = mirrors();
  const room = roomOf(maxRoomBytes);
  const capture = captures === undefined ? undefined : capturing(captures);

  function follow(what: Followed): Follower {
    const record = what.isRemembered && assignments !== undefined ? recorder(what, assignments, time) : undefined;
    const copying = what.mirror !== undefined && pairs !== undefined ? copy(what, what.mirror, pairs) : undefined;
    const captured =
      what.capture === undefined ? undefined : capture?.follow(what.request, openingOf(what, what.capture, time));
    let prediction: (() => Prediction | undefined) | undefined;
    return {
      answering(answer) {
        captured?.answering(answer);
        prediction = readPrediction(answer, what.pointer);
      },
      ended(outcome, cameAt) {
        captured?.ended(outcome, cameAt);
        const value = outcome === 'answered' ? prediction?.() : undefined;
        const found = value === undefined ? {} : { prediction: value };
        record?.({ errored: outcome === 'failed', ...found });
        copying?.({ outcome, cameAt, ...found }, (mirror) =>
          record?.({ errored: outcome === 'failed', ...found, mirror }),
        );
      },
    };
  }

  /** Begins to copy; the answer is what the served exchange calls at its end, and then the pair is made. */
  function copy(what: Followed, mirror: NonNullable<Followed['mirror']>, counted: Pairs) {
    const { request, endpoint, pointer, path, requestId, timeoutMs, as } = what;
    const pair = counted.open(endpoint, mirror.deployment, what.routed.second);
    const body = copyBody(request, { room, maxBytes: limits.maxBodyBytes, onEnd: () => whenWhole?.() });
    let whenWhole: (() => void) | undefined;

    function send(served: Side, remember: (mirror: Mirrored) => void): void {
      const end = (side: Side | undefined) => {
        body.giveUp();
        if (side === undefined) return pair.abandoned();
        if (side.outcome !== 'dropped') remember(mirroredAs(mirror.deployment, side));
        pair.ended(served, side);
      };
      const unsent = unsentAs(body, served);
      if (unsent !== 'send') {
        end(unsent);
        return;
      }
      const { pool } = mirror;
      const { rawHeaders } = request;
      const sent = { pool, requestId, path, rawHeaders, body: body.chunks(), timeoutMs, pointer, as, done: end };
      queues.send(`${endpoint}\n${mirror.deployment}`, sent);
    }

    return ({ outcome, cameAt, ...found }: Ended, remember: (mirror: Mirrored) => void) => {
      if (outcome === 'abandoned') {
        body.giveUp();
        return pair.abandoned();
      }
      const begun = Math.max(what.routedAt, body.endedAt() ?? what.routedAt);
      const served: Side = { outcome, latencyMs: Math.max(0, cameAt - begun), ...found };
      if (body.state() !== 'coming') return send(served, remember);
      // A model may answer, or be down, before the body is there.
      const timer = setTimeout(body.giveUp, timeoutMs);
      whenWhole = () => {
        clearTimeout(timer);
        send(served, remember);
      };
    };
  }

  return {
    follow,
    close() {
      queues.close();
      capture?.close();
    },
  };
}

/**
 * How the mirror ended when nothing can be sent to it; `undefined`: the pair counts nowhere.
 *
 * A caller whose body is not whole is no caller, unless the failure of the served deployment may have kept it away: then
 * neither side has anything over the other.
 */
function unsentAs(body: BodyCopy, served: Side): Side | undefined | 'send' {
  const state = body.state();
  if (state === 'dropped') return { outcome: 'dropped' };
  if (state === 'spoilt') return served.outcome === 'failed' ? { outcome: 'failed' } : undefined;
  return 'send';
}

interface Ended {
  readonly outcome: Outcome;
  readonly cameAt: number;
  readonly prediction?: Prediction;
}

type Mirrored = NonNullable<Assignment['mirror']>;

const mirroredAs = (deployment: string, { outcome, prediction }: Side): Mirrored => ({
  deployment,
  failed: outcome !== 'answered',
  ...(prediction === undefined ? {} : { prediction }),
});

type Ending = Pick<Assignment, 'errored' | 'prediction' | 'mirror'>;

/** In the second in which it is counted, though the clock may have gone on since then. */
const routedAtOf = ({ routed }: Followed, time: () => number): number => Math.min(time(), routed.second * 1000 + 999);

function openingOf(what: Followed, rule: CaptureRule, time: () => number): CaptureOpening {
  const { endpoint, deployment, requestId, routed } = what;
  return { endpoint, deployment, requestId, at: Math.floor(routedAtOf(what, time)), second: routed.second, rule };
}

/** Remembers a request from now on; the answer completes what is remembered, each time anew. */
function recorder(what: Followed, assignments: Assignments, time: () => number): (ending: Ending) => void {
  const { requestId, endpoint, deployment, weight } = what;
  const at = routedAtOf(what, time);
  const assignment: Assignment = { requestId, endpoint, deployment, weight, at, errored: false };
  assignments.record(assignment);
  return (ending) => assignments.record({ ...assignment, ...ending });
}
