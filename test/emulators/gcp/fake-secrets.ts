import { crc32c } from '@serin/gcp/calls/crc32c';
import { type Handlers, Refusal } from './discovery.ts';

interface Version {
  readonly data: Uint8Array;
  readonly state: 'ENABLED' | 'DISABLED' | 'DESTROYED';
  /** As it is kept beside the data; nothing where whoever stored it was long ago. */
  readonly checksum: string | undefined;
}

export interface FakeSecrets {
  readonly handlers: Handlers;
  /** A secret, perhaps without a version. */
  create(secret: string): void;
  /** A new version of a secret; the newest is the last. */
  add(secret: string, data: string | Uint8Array, more?: Partial<Pick<Version, 'state' | 'checksum'>>): void;
  /** For the next look-ups, one each. */
  refuse(...refusals: readonly Refusal[]): void;
}

/** Secret Manager in memory, as far as secrets are read. A secret is named `projects/<p>/secrets/<s>`. */
export function fakeSecrets(): FakeSecrets {
  const secrets = new Map<string, Version[]>();
  const refusals: Refusal[] = [];

  /** `latest` is the newest version, also if it cannot be read and an older one can. */
  function access(name: string): unknown {
    const [, secret = '', wanted = ''] = /^(.+)\/versions\/([^/]+)$/.exec(name) ?? [];
    const versions = secrets.get(secret) ?? [];
    const number = wanted === 'latest' ? versions.length : Number(wanted);
    const version = versions[number - 1];
    // Its words for both, by which nobody learns which secrets there are.
    if (version === undefined) throw new Refusal('NOT_FOUND', `Secret [${secret}] not found or has no versions.`);
    const full = `${secret.replace(/^projects\/[^/]+/, 'projects/123456789012')}/versions/${number}`;
    if (version.state !== 'ENABLED')
      throw new Refusal('FAILED_PRECONDITION', `Secret Version [${full}] is in ${version.state} state.`);
    const data = Buffer.from(version.data).toString('base64');
    const { checksum } = version;
    return { name: full, payload: { ...(data === '' ? {} : { data }), dataCrc32c: checksum } };
  }

  return {
    handlers: {
      'secretmanager.projects.secrets.versions.access': ({ params }) => {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        return access(params.name ?? '');
      },
    },
    create: (secret) => void secrets.set(secret, []),
    add(secret, text, more = {}) {
      const data = typeof text === 'string' ? Buffer.from(text) : text;
      const version = { data, state: 'ENABLED' as const, checksum: String(crc32c(data)), ...more };
      secrets.set(secret, [...(secrets.get(secret) ?? []), version]);
    },
    refuse: (...more) => void refusals.push(...more),
  };
}
