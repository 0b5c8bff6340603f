import { Fault } from '@serin/core/base/fault';
import { secretNames, secretsOf, secretText, type Variables } from '@serin/core/base/variables';
import { awsFault } from './faults.ts';
import { askSsm, type SsmPlace } from './ssm.ts';

/**
 * The variables of a program that name a secret, with its text. Looked up each time that a program is started: what it
 * answers stands in the request to SageMaker, and is kept and written nowhere.
 */
export type ProgramSecrets = (variables: Variables) => Promise<Readonly<Record<string, string>>>;

interface Options extends SsmPlace {
  /** Before the name of each: `/serin/<project>/<environment>/programs`. */
  readonly path: string;
  /** The key of the installation, under which a new secret is put. */
  readonly kmsKey?: string | undefined;
}

interface Parameter {
  readonly Name: string;
  readonly Type: string;
  readonly Value: string;
}

/** Of one request. https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const atOnce = 10;

/** Secrets by name: each is a SecureString of SSM below the path. One that is missing is `invalid`, with how to make it. */
export function programSecrets({ path, kmsKey, ...place }: Options): ProgramSecrets {
  const key = kmsKey === undefined ? '' : ` --key-id ${kmsKey}`;
  const mend = (name: string) =>
    `\`aws ssm put-parameter --type SecureString${key} --name ${path}/${name} --value file://<file>\``;

  async function read(names: readonly string[]): Promise<readonly Parameter[]> {
    const input = { Names: names.map((name) => `${path}/${name}`), WithDecryption: true };
    const { status, body } = await askSsm(place, 'AmazonSSM.GetParameters', input);
    if (status === 200) return (body as { readonly Parameters?: readonly Parameter[] }).Parameters ?? [];
    // As the SDK would throw it: `com.amazonaws.ssm#ThrottlingException` has its name behind the sign.
    const { __type = `status ${status}`, message = __type } = body;
    const error = Object.assign(new Error(message), {
      name: __type.replace(/^.*#/, ''),
      $metadata: { httpStatusCode: status },
    });
    throw awsFault(error, `reading the secrets ${names.join(', ')} below ${path}`);
  }

  return async (variables) => {
    const names = [...new Set(secretNames(variables))];
    const found = new Map<string, Parameter>();
    for (let from = 0; from < names.length; from += atOnce)
      for (const parameter of await read(names.slice(from, from + atOnce)))
        found.set(parameter.Name.slice(path.length + 1), parameter);
    return secretsOf(variables, (name) => {
      const parameter = found.get(name);
      if (parameter === undefined)
        throw new Fault('invalid', `there is no secret '${name}': create it by ${mend(name)}`);
      if (parameter.Type === 'SecureString') return secretText(parameter.Value);
      const how = `is a ${parameter.Type}, which is not encrypted: delete ${path}/${name}, and create it by`;
      throw new Fault('invalid', `the secret '${name}' ${how} ${mend(name)}`);
    });
  };
}

/** AWS quotes in an error what it was sent: whatever `send` throws is thrown without the texts of the secrets. */
export async function concealing<Answer>(
  secrets: Readonly<Record<string, string>>,
  send: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    const texts = Object.values(secrets)
      .flatMap((text) => [text, JSON.stringify(text).slice(1, -1)])
      // Of fewer characters no secret is made, and words by which AWS's errors are told apart would go.
      .filter((text) => text.length > 3)
      .toSorted((a, b) => b.length - a.length);
    if (texts.length === 0 || !(error instanceof Error)) throw error;
    const { name, $metadata, $retryable, code } = error as Error & Readonly<Record<string, unknown>>;
    const message = texts.reduce((said, text) => said.replaceAll(text, '<secret>'), error.message);
    // A new one: the old one has them in its stack and in the answer that the SDK keeps.
    throw Object.assign(new Error(message), { name, $metadata, $retryable, code });
  }
}
