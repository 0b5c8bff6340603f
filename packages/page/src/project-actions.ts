import { action, becauseField } from './action.ts';
import type { Button, By } from './actions.ts';

/** The changes of a project: its freeze, its dead letters and its tokens. */

export const freeze = (by: By): Button =>
  action(by, {
    label: 'Freeze the project',
    does: 'No run, rollout or promotion starts until somebody thaws the project. Rollbacks go on.',
    path: '/v1/freeze',
    fields: [
      { ...becauseField, isRequired: true },
      { name: 'until', label: 'Until', kind: 'instant', option: '--until', hint: 'Empty: until somebody thaws it.' },
    ],
    command: 'serin freeze',
    role: 'admin',
    isOfProject: true,
    tone: 'danger',
  });

export const thaw = (by: By, seen?: string): Button =>
  action(by, {
    label: 'Thaw the project',
    does: 'What waited because of the freeze starts now.',
    seen,
    method: 'DELETE',
    path: '/v1/freeze',
    command: 'serin thaw',
    role: 'admin',
    isOfProject: true,
    tone: 'main',
  });

interface LetterNow {
  readonly id: string;
  readonly status: string;
  readonly stream: string;
}

export const letterActions = (by: By, letter: LetterNow): readonly Button[] =>
  (['replay', 'discard'] as const).map((verb) =>
    action(by, {
      label: verb === 'replay' ? 'Replay' : 'Discard',
      does:
        verb === 'replay'
          ? `The signal is sent to ${letter.stream} again, as its first sender.`
          : 'The signal is given up. Its record is kept.',
      path: `/v1/dead-letters/${encodeURIComponent(letter.id)}/${verb}`,
      body: {},
      command: `serin dead-letters ${verb} ${letter.id}`,
      role: 'operator',
      tone: verb === 'discard' ? 'danger' : undefined,
      refused: letter.status === 'waiting' ? undefined : `it is ${letter.status}`,
    }),
  );

export const createToken = (by: By, revision: number | undefined): Button =>
  action(by, {
    label: 'Create a token',
    does: 'Whoever has its text may do what its role allows. The text is shown once.',
    path: '/v1/tokens',
    fields: [
      { name: 'name', label: 'Name', isRequired: true, option: '', hint: 'Letters, digits and . @ - _' },
      {
        name: 'role',
        label: 'Role',
        kind: 'choice',
        isRequired: true,
        option: '--role',
        choices: ['viewer', 'operator', 'approver', 'admin', 'predictor'].map((role) => [role, role] as const),
      },
      { name: 'models', label: 'Models', kind: 'list', option: '--model', hint: 'Apart by commas. Empty: all.' },
      { name: 'expiresAt', label: 'Expires', kind: 'instant', option: '--expires', hint: 'Empty: never.' },
    ],
    command: 'serin tokens create',
    revision,
    role: 'admin',
    isOfProject: true,
    tone: 'main',
    showsOnce: 'token',
  });

export const revokeToken = (
  by: By,
  token: { readonly id: string; readonly name: string; readonly role: string },
): Button =>
  action(by, {
    label: `Revoke ${token.name}`,
    does: `The token '${token.name}' (${token.role}) is refused from now on. Nobody can take this back.`,
    method: 'DELETE',
    path: `/v1/tokens/${encodeURIComponent(token.id)}`,
    command: `serin tokens revoke ${token.id}`,
    role: 'admin',
    isOfProject: true,
    tone: 'danger',
  });
