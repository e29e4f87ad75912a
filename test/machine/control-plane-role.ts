import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';

export const CONTROL_PLANE_TAINT = { key: CONTROL_PLANE_LABEL, effect: 'NoSchedule' };

/**
 * Labels a Node as one of the control plane once it has registered. An administrator must do that, as kubeadm
 * does: NodeRestriction lets no kubelet give itself a role.
 */
export async function labelControlPlane(admin: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  const body = { metadata: { labels: { [CONTROL_PLANE_LABEL]: '' } } };
  while (!signal.aborted) {
    try {
      await admin.mergePatch(`/api/v1/nodes/${name}`, body, {}, { signal });
      return;
    } catch {
      await sleep(100, undefined, { signal }).catch(() => {}); // not registered yet, or the server is away
    }
  }
}
