import { Fault } from '@serin/core/base/fault';
import { type ProgramSecrets, programSecrets, withoutSecrets } from '@serin/platform/jobs/program-secrets';
import { askSsm, type SsmPlace } from './calls/ssm.ts';
import { awsFault } from './faults.ts';

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

/** Secrets by name: each is a SecureString of SSM below the path. */
export function ssmSecrets({ path, kmsKey, ...place }: Options): ProgramSecrets {
  const key = kmsKey === undefined ? '' : ` --key-id ${kmsKey}`;
  const creation = (name: string) =>
    `\`aws ssm put-parameter --type SecureString${key} --name ${path}/${name} --value file://<file>\``;

  async function parameters(names: readonly string[]): Promise<readonly Parameter[]> {
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

  return programSecrets({
    atOnce,
    creation,
    async read(names) {
      const found = (await parameters(names)).map(({ Name, Type, Value }) => {
        const name = Name.slice(path.length + 1);
        if (Type === 'SecureString') return [name, Value] as const;
        const how = `is a ${Type}, which is not encrypted; delete ${path}/${name}, and create it with`;
        throw new Fault('invalid', `the secret '${name}' ${how} ${creation(name)}`);
      });
      return new Map(found);
    },
  });
}

/** The fields of an error by which AWS's are told apart. */
const kept = ['name', '$metadata', '$retryable', 'code'] as const;

/** What AWS throws, without the texts of the secrets that it was sent. */
export const concealing = <Answer>(
  secrets: Readonly<Record<string, string>>,
  send: () => Promise<Answer>,
): Promise<Answer> => withoutSecrets(secrets, kept, send);
