import { type Access, bearerOf } from '@serin/api/access';
import { mayAct, seesModel } from '@serin/api/roles';
import type { Denial } from '../http.ts';

/** Only a token that may predict, and that is of this model or of all. */
export function predictors(
  access: Access,
): (authorization: string | undefined, endpoint: string) => Promise<Denial | undefined> {
  return async (authorization, endpoint) => {
    const text = bearerOf(authorization);
    const caller = text === undefined ? undefined : await access.callerOf(text);
    if (caller === undefined)
      return { status: 401, detail: 'predictions want a token here: send `Authorization: Bearer <token>`' };
    if (mayAct(caller, 'predictor') && seesModel(caller, endpoint)) return undefined;
    const { subject, role } = caller.actor;
    const detail = `the token '${subject}' is ${role}, and may not ask ${endpoint} for predictions; make one with --role predictor --model ${endpoint}`;
    return { status: 403, detail };
  };
}
