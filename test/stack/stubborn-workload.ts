/** What holds the drain of its node up: one pod, and a budget that lets none go. */
export const STUBBORN = { name: 'stubborn', budget: 'stubborn-budget', namespace: 'default' };

/** On any node, or on `node`. */
export function stubbornWorkload(node?: string): object[] {
  const { name, budget, namespace } = STUBBORN;
  const labels = { app: name };
  const nodeSelector = node === undefined ? {} : { 'kubernetes.io/hostname': node };
  const containers = [{ name, image: 'shop:1' }];
  // Not even the loss of its node makes it leave.
  const tolerations = [{ effect: 'NoExecute', operator: 'Exists' }];
  const template = { metadata: { labels }, spec: { nodeSelector, tolerations, containers } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: budget, namespace },
      spec: { minAvailable: 1, selector: { matchLabels: labels } },
    },
  ];
}
