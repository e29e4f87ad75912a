import { KubeClient } from '#runtime/client/client.ts';

/** Does something to the cluster that a machine's own credentials do not allow. */
export async function asAdmin(
  { kubeconfig }: { kubeconfig: string },
  work: (admin: KubeClient) => Promise<void>,
): Promise<void> {
  const admin = KubeClient.load({ kubeconfig, userAgent: 'careen test machine' });
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}
