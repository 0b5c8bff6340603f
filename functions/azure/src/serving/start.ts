import type { ObjectInfo } from '@serin/core/ports/bucket';
import { type Needed, type Start, startScript as scriptOf } from '@serin/platform/serving-start';

interface Place {
  readonly account: string;
  readonly container: string;
}

// Any since 2017-11-09 takes the token of an identity.
// https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
const blobVersion = '2021-12-02';

/**
 * What a container that serves is started with. Azure ML would mount a model into it, in whatever content it has by then, and no code
 * without a scoring script of its own server.
 *
 * A container asks for tokens as Microsoft's own client does in Azure ML: @azure/msal-node, MachineLearning.ts.
 */
export const startScript = (
  start: Start,
  { account, client }: { readonly account: string; readonly client: string },
  root?: string,
): string =>
  scriptOf(
    start,
    {
      // The variable names another host in tests, as it does for the functions.
      setup: `
storage="\${SERIN_ENDPOINT_BLOB:-https://${account}.blob.core.windows.net}"
tokens="\${MSI_ENDPOINT:-}?api-version=2017-09-01&clientid=${client}&resource=https://storage.azure.com/"
token_header="secret: \${MSI_SECRET:-}"`.trim(),
      reader: 'the identity of models',
      modelVariable: 'AZUREML_MODEL_DIR="$root/model"',
    },
    root,
  );

/** A blob in the content that was judged: every write gives it another ETag. */
export const neededOf = (
  { container }: Pick<Place, 'container'>,
  { key, version, bytes }: ObjectInfo,
  { path, isPacked }: Pick<Needed, 'path' | 'isPacked'>,
): Needed => ({
  url: `/${container}/${key.split('/').map(encodeURIComponent).join('/')}`,
  headers: [`x-ms-version: ${blobVersion}`, `If-Match: "${version}"`],
  ...{ path, bytes, isPacked },
});
