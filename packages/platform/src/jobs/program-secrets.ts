import { Fault } from '@serin/core/base/fault';
import { secretNames, secretsOf, secretText, type Variables } from '@serin/core/base/variables';

/**
 * The variables of a program that name a secret, with its text. Looked up each time that a program is started: what it
 * answers stands in the request to the cloud, and is kept and written nowhere.
 */
export type ProgramSecrets = (variables: Variables) => Promise<Readonly<Record<string, string>>>;

interface Options {
  /** How many secrets one request reads. */
  readonly atOnce: number;
  /** The texts as they are stored, by name; one that is not there is left out. */
  readonly read: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** The command that creates a secret. */
  readonly creation: (name: string) => string;
}

/** Reads secrets where a request has one secret; all at the same time. */
export const oneByOne =
  (read: (name: string) => Promise<string | undefined>): Options['read'] =>
  async (names) => {
    const texts = await Promise.all(names.map(async (name) => [name, await read(name)] as const));
    return new Map(texts.filter((found): found is readonly [string, string] => found[1] !== undefined));
  };

/** Secrets of programs out of the store of a cloud. One that is missing is `invalid`, with how to create it. */
export function programSecrets({ atOnce, read, creation }: Options): ProgramSecrets {
  return async (variables) => {
    const names = [...new Set(secretNames(variables))];
    const found = new Map<string, string>();
    for (let from = 0; from < names.length; from += atOnce)
      for (const [name, text] of await read(names.slice(from, from + atOnce))) found.set(name, text);
    return secretsOf(variables, (name) => {
      const text = found.get(name);
      if (text !== undefined) return secretText(text);
      throw new Fault('invalid', `there is no secret '${name}'; create it with ${creation(name)}`);
    });
  };
}

/**
 * Throws what `send` throws without the texts of the secrets, because a cloud quotes the request in an error. `kept`
 * are the fields by which the platform knows an error.
 */
export async function withoutSecrets<Answer>(
  secrets: Readonly<Record<string, string>>,
  kept: readonly string[],
  send: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    const texts = Object.values(secrets)
      .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
      // A secret has more characters than this, and shorter texts may be words by which an error is known.
      .filter((text) => text.length > 3)
      .toSorted((a, b) => b.length - a.length);
    if (texts.length === 0 || !(error instanceof Error)) throw error;
    const fields = error as Error & Readonly<Record<string, unknown>>;
    const message = texts.reduce((said, text) => said.replaceAll(text, '<secret>'), error.message);
    // A new error, because the old one has the texts in its stack and in the answer that it keeps.
    throw Object.assign(new Error(message), Object.fromEntries(kept.map((name) => [name, fields[name]])));
  }
}
