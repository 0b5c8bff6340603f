import { type Installation, nameOf } from '@serin/platform/names';

/** Vertex AI's limit for the ids of endpoints and models: 63 of `[a-z0-9-]`, the first a letter. */
const max = 63;

/** A name of Google's for a key of ours. */
export const vertexName = (installation: Installation, kind: string, readable: string, key: string): string =>
  nameOf(installation, kind, { readable, key, max });

export const endpointName = (installation: Installation, model: string): string =>
  vertexName(installation, 'endpoint', model, model);

/** The model of Vertex AI's registry whose versions are ours. */
export const modelName = (installation: Installation, model: string): string =>
  vertexName(installation, 'model', model, model);

/**
 * Labels by which an installation is told from others. The keys say `serin_`, for a label takes
 * no colon; a text that a label cannot hold must be made short before (`vertexName`).
 *
 * https://docs.cloud.google.com/resource-manager/docs/labels-overview#requirements
 */
export const labelsOf = (
  { project, environment }: Installation,
  more: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({ serin_project: project, serin_environment: environment, ...more }).map(([key, value]) => [
      key,
      value
        .toLowerCase()
        .replace(/[^\p{Ll}\p{Lo}\p{N}_-]/gu, '_')
        .slice(0, max),
    ]),
  );
