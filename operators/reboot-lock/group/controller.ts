import { resourcePath } from '#api/group.ts';
import type { NodeGroup, RebootLock } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Reconcile } from '#runtime/controller/controller.ts';
import { FIELD_MANAGER } from '../cluster/kube-cluster.ts';
import { CONTROL_PLANE_LOCK } from '../lock/lock.ts';
import { controlPlaneLock, lockOfGroup, upkeep } from './lock.ts';

export interface GroupLocks {
  client: KubeClient;
  group: (name: string) => NodeGroup | undefined;
  lock: (name: string) => RebootLock | undefined;
}

/** Keeps the RebootLock of each NodeGroup (by the group's name) and the control plane's, both through their keys. */
export function reconcileGroupLock({ client, group, lock }: GroupLocks): Reconcile {
  return async (name, { signal, log }) => {
    if (name === CONTROL_PLANE_LOCK && lock(name) === undefined) {
      await makeControlPlane(client, signal);
      return;
    }
    const owner = group(name);
    if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return;
    const wanted = lockOfGroup(owner);
    const what = upkeep(wanted, lock(name));
    if (what === 'foreign')
      log.warn('a RebootLock of the name of the NodeGroup is not its own; it is honoured as it is', { name });
    if (what !== 'apply') return;
    await client.apply(
      resourcePath('RebootLock', name),
      wanted,
      { fieldManager: FIELD_MANAGER, force: true },
      { signal },
    );
  };
}

async function makeControlPlane(client: KubeClient, signal: AbortSignal): Promise<void> {
  try {
    await client.create(
      resourcePath('RebootLock'),
      controlPlaneLock(),
      { fieldManager: FIELD_MANAGER },
      { signal },
    );
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}
