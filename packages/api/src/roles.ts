import type { Actor } from '@serin/core/ports/journal';
import * as z from 'zod';

export const roleSchema = z.enum(['predictor', 'viewer', 'operator', 'approver', 'admin']);
export type Role = z.infer<typeof roleSchema>;

/**
 * What each role may do. Operators do not approve, and approvers do not operate: only an admin does both. A predictor
 * asks models for predictions and may do nothing else.
 */
const includes: Readonly<Record<Role, readonly Role[]>> = {
  predictor: ['predictor'],
  viewer: ['viewer'],
  operator: ['predictor', 'viewer', 'operator'],
  approver: ['viewer', 'approver'],
  admin: ['predictor', 'viewer', 'operator', 'approver', 'admin'],
};

/** On a cloud strangers reach the API, and each answer costs its owner: what only informs wants a token there. */
export const openAtHome = (platform: string): 'public' | 'viewer' => (platform === 'local' ? 'public' : 'viewer');

/** Who asks. `models` absent: all of them, and what the project shares. */
export interface Caller {
  /** The id of the token, which is never given again; names may be. */
  readonly token: string;
  readonly actor: Actor & { readonly role: Role };
  readonly models?: readonly string[];
}

/** The roles whose routes a role may use. */
export const rolesOf = (role: Role): readonly Role[] => includes[role];

export const mayAct = (caller: Caller, needed: Role): boolean => includes[caller.actor.role].includes(needed);

export const seesModel = (caller: Caller, model: string): boolean =>
  caller.models === undefined || caller.models.includes(model);
