import { expect, test } from 'vitest';
import { action } from './action.ts';
import { approve, restore, rollback, rolloutActions } from './actions.ts';

const operator = { caller: { name: 'olga', role: 'operator', may: ['predictor', 'viewer', 'operator'] } };
const approver = { caller: { name: 'anna', role: 'approver', may: ['viewer', 'approver'] } };
const fraud = { model: 'fraud', seq: 7, champion: 2, lastGood: [1] };

const html = async (button: unknown): Promise<string> => String(await button);
/** What the button tells the browser. */
const told = async (button: unknown) =>
  JSON.parse(
    (/data-action="([^"]*)"/.exec(await html(button))?.[1] ?? 'null')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'"),
  );

test('a button tells what it does, to which revision, and the command that does the same', async () => {
  const button = await told(approve(approver, fraud, { number: 3, approval: { status: 'pending' } }));

  expect(button).toMatchObject({
    label: 'Approve v3',
    path: '/v1/models/fraud/versions/3/approve',
    revision: 7,
    command: 'serin versions approve fraud 3',
  });
});

test('a button that the role does not allow says which role does, and stays reachable by keyboard', async () => {
  const button = await html(approve(operator, fraud, { number: 3, approval: { status: 'pending' } }));

  expect(button).toContain('needs a token with the role approver; yours has operator');
  expect(button).toMatch(/aria-disabled="true" aria-describedby="([\w-]+)".*id="\1"/s);
  expect(button).not.toMatch(/data-action| disabled/);
});

test('whoever had a hand in a version that wants four eyes reads so before deciding', async () => {
  const lineage = { fourEyes: 'wanted', startedBy: 'serin', droppedBy: 'olga, anna' };
  const version = { number: 3, approval: { status: 'pending' }, lineage };

  const [own, other, unwanted] = await Promise.all(
    [
      approve(approver, fraud, version),
      approve({ caller: { ...approver.caller, name: 'vera' } }, fraud, version),
      approve(approver, fraud, { ...version, lineage: { droppedBy: 'anna' } }),
    ].map(html),
  );

  expect(own).toContain('four eyes: you brought data of v3; somebody else has to approve it');
  expect(own).not.toContain('data-action');
  expect(other).toContain('data-action');
  expect(unwanted).toContain('data-action');
});

test('a version that is in a rollout is not offered again', async () => {
  const version = { number: 3, approval: { status: 'approved' } };

  const [now, ended] = await Promise.all(
    ['baking', 'rolledBack'].map((status) =>
      html(restore(approver, { ...fraud, rollout: { status, candidate: 3 } }, version)),
    ),
  );

  expect(now).toContain('v3 is in a rollout now');
  expect(ended).toContain('data-action');
});

test.each([
  ['baking', 'Pause', undefined],
  ['held', 'Resume', undefined],
  ['deploying', 'Promote now', "a rollout that is deploying does not take 'promote'"],
  ['rolledBack', 'Abort', 'the rollout has ended: it was rolled back'],
])('a rollout that is %s: %s', async (status, label, refused) => {
  const rollout = { id: 'ro_12345678', model: 'fraud', status, candidate: 3 };

  const buttons = await Promise.all(rolloutActions(operator, rollout).map(html));

  const button = buttons.find((each) => each.includes(`>${label}</button>`)) ?? '';
  if (refused === undefined) expect(button).toContain('data-action');
  else expect(button).toContain(refused.replaceAll("'", '&#39;'));
});

test('nothing is promoted while the project is frozen, and everything can be taken back', async () => {
  const rollout = { id: 'ro_12345678', model: 'fraud', status: 'baking', candidate: 3 };

  const [promote, , abort] = await Promise.all(rolloutActions(operator, rollout, { isFrozen: true }).map(html));

  expect(promote).toContain('the project is frozen; thaw it first');
  expect(abort).toContain('data-action');
});

test('a rollback offers only versions that were champions before, the last one first', async () => {
  const button = await told(rollback(operator, { ...fraud, champion: 4, lastGood: [1, 2, 4] }));

  expect(button.fields[0].choices.map(([value]: readonly string[]) => value)).toEqual(['', '2', '1']);
});

test('a token of some models cannot ask for what concerns the whole project', async () => {
  const scoped = { caller: { name: 'ada', role: 'admin', may: ['admin'], models: ['fraud'] } };

  const button = await html(
    action(scoped, { label: 'Freeze', does: '', path: '/v1/freeze', command: '', role: 'admin', isOfProject: true }),
  );

  expect(button).toContain('your token is for fraud only');
});

test('texts of others stay texts in the button', async () => {
  const evil = `"><img src=x onerror=alert(1)>'`;

  const button = await html(
    action(operator, { label: evil, does: evil, seen: evil, path: '/v1/x', command: evil, role: 'operator' }),
  );

  expect(button).not.toContain('<img');
});
