import type { KubeObject } from '#api/meta.ts';

/** Drops what server-side apply keeps for itself: often more than half of an object, and of no use in a cache. */
export function stripManagedFields<T extends KubeObject>(object: T): T {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}
