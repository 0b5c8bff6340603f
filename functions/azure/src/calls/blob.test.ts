import { expect, test } from 'vitest';
import { readListing } from './blob.ts';

const listing = (metadata: string): string =>
  `<EnumerationResults><Blobs><Blob><Name>a.csv</Name><Properties><Etag>0x1</Etag><Content-Length>3</Content-Length></Properties><Metadata>${metadata}</Metadata></Blob></Blobs><NextMarker /></EnumerationResults>`;

test.each(['ResourceType', 'Name', 'Etag', 'Content-Length', 'Blob', 'Properties', 'NextMarker'])(
  'a blob stays what it is when its writer names a value of its metadata %s',
  (name) => {
    expect(readListing(listing(`<${name}>directory</${name}>`))).toEqual({
      blobs: [{ key: 'a.csv', etag: '0x1', bytes: 3, isDirectory: false }],
      marker: '',
    });
  },
);
