import { Fault } from '@serin/core/base/fault';
import { type Json, sha256Hex } from '@serin/core/base/json';
import { rewrite } from '@serin/core/engine/rewrite';
import { reservedNames } from '@serin/core/ports/actors';
import type { Actor, Head, Journal } from '@serin/core/ports/journal';
import type { Caller, Role } from './roles.ts';
import { type Conditional, onlyIf } from './views.ts';

/** The text of the token in an `Authorization` header. */
export const bearerOf = (header: string | undefined): string | undefined =>
  /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header ?? '')?.[1];

/** A token as it is kept: without its text. */
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly models?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
}

interface Stored extends Token {
  /** SHA-256 of the token's text. */
  readonly hash: string;
}

interface State {
  readonly schema: 1;
  readonly tokens: Readonly<Record<string, Stored>>;
}

const stream = 'access';
/** The whole list is one state of the journal. */
const maxTokens = 1000;

export interface Access {
  /** Who a bearer token belongs to; `undefined` for one that is unknown, revoked or expired. */
  callerOf(token: string): Promise<Caller | undefined>;
  list(): Promise<{ readonly tokens: readonly Token[]; readonly revision: number }>;
  /** Durable when it resolves; the text is kept nowhere. Under an id or a name that exists already: `conflict`. */
  create(token: Token, text: string, actor: Actor, decidedOn: Conditional): Promise<void>;
  /** `notFound` for a token that is not there. */
  revoke(id: string, actor: Actor, decidedOn: Conditional): Promise<void>;
}

/** Tokens in the journal's stream `access`; a revoked one is refused from the moment its revocation resolved. */
export function journalAccess(given: {
  readonly journal: Journal;
  readonly now: () => number;
  readonly wall: () => number;
  readonly bootstrap?: { readonly tokenHash: string } | undefined;
}): Access {
  const { journal, now, wall, bootstrap } = given;
  let known: { readonly seq: number; readonly byHash: ReadonlyMap<string, Stored> } | undefined;

  async function byHash(): Promise<ReadonlyMap<string, Stored>> {
    const head = await journal.head(stream);
    if (head === undefined) return new Map();
    if (known?.seq !== head.seq)
      known = { seq: head.seq, byHash: new Map(stored(head).map((token) => [token.hash, token])) };
    return known.byHash;
  }

  async function change(
    { actor, signal, decidedOn }: { readonly actor: Actor; readonly signal: Json; readonly decidedOn: Conditional },
    next: (tokens: State['tokens']) => State['tokens'],
  ): Promise<void> {
    await rewrite<State>(journal, stream, (state, head) => {
      onlyIf(decidedOn, head?.seq ?? 0);
      const changed = JSON.parse(JSON.stringify({ schema: 1, tokens: next(state?.tokens ?? {}) }));
      return { at: now(), actor, signal, state: changed };
    });
  }

  return {
    async callerOf(text) {
      // Hashes are compared, so the time it takes says nothing of the text.
      const hash = sha256Hex(text);
      if (bootstrap !== undefined && hash === bootstrap.tokenHash) return administrator;
      const token = (await byHash()).get(hash);
      if (token === undefined || (token.expiresAt !== undefined && token.expiresAt <= wall())) return undefined;
      const actor = { subject: token.name, issuer: 'token', role: token.role };
      const caller = { token: token.id, actor };
      return token.models === undefined ? caller : { ...caller, models: token.models };
    },
    async list() {
      const head = await journal.head(stream);
      const tokens = head === undefined ? [] : stored(head).map(({ hash: _, ...token }) => token);
      return { tokens, revision: head?.seq ?? 0 };
    },
    create: (token, text, actor, decidedOn) => {
      const signal = { type: 'tokenCreated', token: token.id, name: token.name, role: token.role };
      return change({ actor, signal, decidedOn }, (tokens) => {
        // Names are what records say and what four eyes compare.
        if (reservedNames.includes(token.name))
          throw new Fault(
            'conflict',
            `the token cannot be named '${token.name}', which Serin writes into records itself; choose another name`,
          );
        if (Object.values(tokens).some(({ name }) => name === token.name))
          throw new Fault(
            'conflict',
            `there is already a token named '${token.name}'; revoke it, or choose another name`,
          );
        if (tokens[token.id] !== undefined)
          throw new Fault(
            'conflict',
            `the token ${token.id} was created already; use it, or create one with another id`,
          );
        if (Object.keys(tokens).length >= maxTokens)
          throw new Fault('invalid', `there are already ${maxTokens} tokens; revoke some first`);
        return { ...tokens, [token.id]: { ...token, hash: sha256Hex(text) } };
      });
    },
    revoke: (id, actor, decidedOn) =>
      change({ actor, signal: { type: 'tokenRevoked', token: id }, decidedOn }, (tokens) => {
        if (!Object.hasOwn(tokens, id))
          throw new Fault('notFound', `there is no token '${id}'; 'serin tokens list' shows what there is`);
        const { [id]: _, ...rest } = tokens;
        return rest;
      }),
  };
}

/** Whoever has the first token, which no journal knows. */
export const administrator: Caller = { token: 'admin', actor: { subject: 'admin', issuer: 'token', role: 'admin' } };

const stored = (head: Head): readonly Stored[] => Object.values((head.state as unknown as State).tokens);

/** 256 random bits. */
export function newTokenText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes));
  return `srn_${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}
