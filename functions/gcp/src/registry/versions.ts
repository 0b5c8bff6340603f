import type { Aliases, Approval, RegisteredVersion } from '@serin/core/ports/registry';
import type { Installation } from '@serin/platform/names';
import type { Google } from '../calls/google.ts';
import type { Operation } from '../calls/operations.ts';
import { locationPath, type VertexPlace } from '../calls/vertex.ts';
import { ifThere } from '../faults.ts';
import { labelsOf, modelName } from '../names.ts';

export interface RegistryOptions extends VertexPlace {
  readonly google: Google;
  readonly installation: Installation;
  /** An image of Artifact Registry: Vertex AI registers no model without one. */
  readonly nodeImage: string;
  readonly kmsKey?: string;
}

/** The aliases that are on one version of a model. */
const movable = ['champion', 'challenger'] as const satisfies readonly (keyof Aliases)[];

/** A version as Vertex AI has it. */
export interface Listed {
  /** Vertex AI's own number of it. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly version: RegisteredVersion;
}

interface Page {
  readonly models?: readonly {
    readonly versionId?: string;
    readonly versionAliases?: readonly string[];
    readonly versionDescription?: string;
  }[];
  readonly nextPageToken?: string;
}

/**
 * The versions of a model in Vertex AI's registry; the methods may throw what a call throws.
 *
 * The description of a version holds all of it as JSON: it belongs to the version, has no short limit, and is read in
 * the console. Labels say the same in short, for filters; Vertex AI merges those of a version with those of its model, so
 * nothing is read from them.
 */
export function modelVersions({ google, installation, nodeImage, kmsKey, ...place }: RegistryOptions) {
  const location = locationPath(place);
  const vertex = { service: 'aiplatform' } as const;

  async function* pages(model: string): AsyncGenerator<Page> {
    let pageToken: string | undefined;
    do {
      const query = { pageSize: 100, pageToken };
      const path = `${location}/models/${modelName(installation, model)}:listVersions`;
      const page = await ifThere(`listing the versions of ${model}`, () =>
        google.json<Page>({ ...vertex, method: 'GET', path, query }),
      );
      if (page === undefined) return;
      yield page;
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  const said = (version: RegisteredVersion) => ({
    versionDescription: JSON.stringify({ by: 'Serin', ...installation, ...version }),
    labels: labelsOf(installation, {
      serin_model: version.model,
      serin_version: String(version.number),
      serin_digest: version.artifact.digest,
      serin_approval: version.approval,
    }),
  });

  /** Its versions, in the order in which Vertex AI numbered them; `undefined`: there is no model at all. */
  async function list(model: string): Promise<readonly Listed[] | undefined> {
    let listed: Listed[] | undefined;
    for await (const { models = [] } of pages(model)) {
      listed ??= [];
      for (const { versionId: id = '', versionAliases: aliases = [], versionDescription = '' } of models) {
        const version = versionIn(versionDescription);
        if (version?.model === model) listed.push({ id, aliases, version });
      }
    }
    return listed?.sort((a, b) => Number(a.id) - Number(b.id));
  }

  async function mergeAliases({ id, version }: Listed, versionAliases: readonly string[]): Promise<void> {
    if (versionAliases.length === 0) return;
    const path = `${location}/models/${modelName(installation, version.model)}@${id}:mergeVersionAliases`;
    await google.json({ ...vertex, method: 'POST', path, body: { versionAliases }, repeatable: true });
  }

  return {
    /** The version of a number: of two, the one that Vertex AI numbered first. And whether there is a model at all. */
    async find(model: string, number: number): Promise<{ readonly found?: Listed; readonly hasModel: boolean }> {
      const all = await list(model);
      const found = all?.find(({ version }) => version.number === number);
      return { hasModel: all !== undefined, ...(found === undefined ? {} : { found }) };
    },

    /**
     * Moves the aliases; answers the number of a version that is not there. An alias leaves one version before another gets
     * it: nothing says whether Vertex AI would move it by itself.
     */
    async moveAliases(model: string, aliases: Aliases): Promise<number | undefined> {
      const all = (await list(model)) ?? [];
      const wanted = Object.entries(aliases).map(([alias, number]: [string, number]) => ({
        alias,
        number,
        on: all.find(({ version }) => version.number === number),
      }));
      const missing = wanted.find(({ on }) => on === undefined);
      if (missing !== undefined) return missing.number;
      for (const version of all) {
        const leaving = movable.filter(
          (alias) =>
            version.aliases.includes(alias) && !wanted.some(({ alias: name, on }) => name === alias && on === version),
        );
        await mergeAliases(
          version,
          leaving.map((alias) => `-${alias}`),
        );
      }
      for (const { alias, on } of wanted)
        if (on !== undefined && !on.aliases.includes(alias)) await mergeAliases(on, [alias]);
      return undefined;
    },

    /** Begins to upload a version; a second call makes a second one, unless it is the first of its model. */
    upload(version: RegisteredVersion, hasModel: boolean): Promise<Operation> {
      const id = modelName(installation, version.model);
      const parentModel = `projects/${place.googleProject}/locations/${place.region}/models/${id}`;
      const model = {
        displayName: version.model.slice(0, 128),
        versionAliases: [`v${version.number}`],
        ...said(version),
        ...(kmsKey === undefined ? {} : { encryptionSpec: { kmsKeyName: kmsKey } }),
        // It is a record: what serves is uploaded by `deploy`, with the image and the command of that deployment.
        containerSpec: { imageUri: nodeImage },
      };
      const body = { model, ...(hasModel ? { parentModel } : { modelId: id }) };
      return google.json<Operation>({ ...vertex, method: 'POST', path: `${location}/models:upload`, body });
    },

    /** Last write wins. */
    async update({ id, version }: Listed, approval: Approval): Promise<void> {
      const path = `${location}/models/${modelName(installation, version.model)}@${id}`;
      const query = { updateMask: 'versionDescription,labels' };
      const body = said({ ...version, approval });
      await google.json({ ...vertex, method: 'PATCH', path, query, body, repeatable: true });
    },
  };
}

/** `undefined`: somebody else's text. */
function versionIn(description: string): RegisteredVersion | undefined {
  if (!description.startsWith('{"by":"Serin"')) return undefined;
  try {
    // As `upload` wrote it; a model that is named so in this installation is of this installation.
    const { by: _, project: _p, environment: _e, ...version } = JSON.parse(description);
    return version as RegisteredVersion;
  } catch {
    return undefined;
  }
}
