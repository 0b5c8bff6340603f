import { Failure } from '../failure.ts';
import { argument, type Command, change, clientOf, path, plainChange, show, textOption } from '../invocation.ts';
import { facts } from '../table.ts';
import { timeOf } from '../time-option.ts';

const roles = ['predictor', 'viewer', 'operator', 'approver', 'admin'];

export const create: Command = async (invocation) => {
  const name = argument(invocation, 0);
  const role = textOption(invocation, 'role') ?? 'viewer';
  if (!roles.includes(role))
    throw new Failure(2, `there is no role '${role}'`, { mend: `use one of ${roles.join(', ')}` });
  const models = invocation.options.model;
  const expires = textOption(invocation, 'expires');
  const body = {
    name,
    role,
    ...(Array.isArray(models) ? { models } : {}),
    ...(expires === undefined ? {} : { expiresAt: timeOf(expires, '--expires') }),
  };
  const client = await clientOf(invocation);
  const answer = await change(invocation, client, {
    method: 'POST',
    path: '/v1/tokens',
    body,
    does: `make a token for ${name} (${role})`,
  });
  if (answer === undefined) return 0;
  show(invocation, answer.body, () => facts(answer.body, invocation.terminal));
  if (!invocation.terminal.json) invocation.terminal.say('keep the token now: it is not shown again\n');
  return 0;
};

export const revoke: Command = async (invocation) => {
  const id = argument(invocation, 0);
  return plainChange(invocation, {
    method: 'DELETE',
    path: path`/v1/tokens/${id}`,
    does: `revoke the token ${id}`,
    asks: true,
  });
};
