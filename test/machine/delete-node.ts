import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';

/** Deletes the Node of a machine that is gone, if it is still there. */
export async function deleteNode(admin: KubeClient, name: string): Promise<void> {
  try {
    await admin.delete(`/api/v1/nodes/${name}`);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}
