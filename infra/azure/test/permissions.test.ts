import { expect, test } from 'vitest';
import { unknownIn } from '../../../test/emulators/azure/operations-of-azure.ts';
import { topology } from '../topology.ts';
import { all, where } from './settings.ts';

test.each(Object.entries(all))(
  '%s: each role has permissions that Microsoft documents, each where it belongs: of what is held, or of data',
  (_, settings) => {
    const { customRoles } = topology(settings, where);

    expect(customRoles.length).toBeGreaterThan(0);
    expect(customRoles.flatMap(unknownIn)).toEqual([]);
  },
);
