import { resourcePath } from '#api/group.ts';
import type { RenderedConfig } from '#api/kinds.ts';
import type { LeaveOptions } from '#operators/leave/leave-command.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { FINALIZER } from '../rendered/rendered-keeper.ts';

/**
 * Takes the finalizer off every RenderedConfig: with nobody there to do it later, neither these objects nor their
 * definition could be deleted any more. Nodes keep what they have.
 */
export async function leave({ client, signal, say }: LeaveOptions): Promise<void> {
  const { items } = await client.list<RenderedConfig>(resourcePath('RenderedConfig'), undefined, { signal });
  for (const { metadata } of items) {
    const { name, resourceVersion, finalizers = [] } = metadata;
    if (!finalizers.includes(FINALIZER)) continue;
    const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } };
    try {
      await client.mergePatch(resourcePath('RenderedConfig', name), body, undefined, { signal });
      say(`RenderedConfig ${name}: may be deleted`);
    } catch (error) {
      if (isKubeError(error, 'NotFound')) continue;
      if (isKubeError(error, 'Conflict')) return leave({ client, signal, say });
      throw error;
    }
  }
}
