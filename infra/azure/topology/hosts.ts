import { functionIds } from './functions.ts';
import { guidOf, roleId } from './grants.ts';
import type { Places } from './places.ts';
import type { Assignment } from './shapes.ts';

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-blob-data-owner */
export const blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b';

/**
 * What the host of Azure Functions needs, in Microsoft's own words, on an account in which nothing else is: who may write
 * there writes what the function runs.
 *
 * https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
 */
export function hostAssignments(places: Places): readonly Assignment[] {
  const role = roleId(places, blobDataOwner);
  return functionIds.map((id) => {
    const target = places.idOf('Microsoft.Storage/storageAccounts', places.hostOf(id));
    const principal = { identity: id };
    return {
      id: guidOf(JSON.stringify([principal, target, role])),
      principal,
      role,
      target,
      why: 'the host of Azure Functions keeps its locks there, and the code of this app',
    };
  });
}
