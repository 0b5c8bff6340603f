import type { ObjectInfo } from '@serin/core/ports/bucket';
import { type Needed, type Start, type Store, startScript as scriptOf } from '@serin/platform/serving-start';

// The variables name other hosts in tests, as they do for the functions.
const store: Store = {
  setup: `
storage="\${CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE:-https://storage.googleapis.com}"
tokens="http://\${GCE_METADATA_HOST:-metadata.google.internal}/computeMetadata/v1/instance/service-accounts/default/token"
token_header='Metadata-Flavor: Google'`.trim(),
  reader: 'the service account of models',
  modelVariable: 'AIP_STORAGE_URI="file://$root/model"',
};

/** The script of a serving container. Vertex AI mounts no bucket into a container that serves, and copies no code. */
export const startScript = (start: Start, root?: string): string => scriptOf(start, store, root);

/** An object of Cloud Storage by its generation, whose bytes never change. */
export const neededOf = (
  bucket: string,
  { key, version, bytes }: ObjectInfo,
  { path, isPacked }: Pick<Needed, 'path' | 'isPacked'>,
): Needed => ({
  url: `/storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(key)}?alt=media&generation=${version}`,
  ...{ path, bytes, isPacked },
});
