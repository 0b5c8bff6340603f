import { Fault } from './fault.ts';

/** A variable of a program: its text, or the name of a secret that is looked up when the program starts. */
export type Variable = string | { readonly secret: string };
export type Variables = Readonly<Record<string, Variable>>;

/** Answers the text of a secret, or throws an `invalid` that says where it was looked for. */
export type Secrets = (name: string) => string;

/** The variables whose text may be written down: those without a secret. */
export const plainOf = (variables: Variables): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );

/** The variables that name a secret, with its text. Give it only to the program, and keep it nowhere. */
export const secretsOf = (variables: Variables, secrets: Secrets): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) =>
      typeof value === 'string' ? [] : [[name, secrets(value.secret)]],
    ),
  );

/** A secret without the line break at the end of the file that it was stored from. */
export const secretText = (stored: string): string => stored.replace(/\r?\n$/, '');

/** For a place that looks up no secrets: naming one is `invalid`. */
export const noSecrets: Secrets = (name) => {
  throw new Fault(
    'invalid',
    `the secret '${name}' cannot be looked up here; use a plain value, or a platform that has secrets`,
  );
};

/** The names of the secrets that variables refer to. */
export const secretNames = (variables: Variables): readonly string[] =>
  Object.values(variables).flatMap((value) => (typeof value === 'string' ? [] : [value.secret]));
