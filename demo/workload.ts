import { isReady, type Pod } from '#api/meta.ts';

/** The application that must not notice: a Deployment and its disruption budget. */
export const WORKLOAD = { name: 'shop', replicas: 12, maxUnavailable: 2 };

export function workloadManifests(): object[] {
  const labels = { app: WORKLOAD.name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: WORKLOAD.name, namespace: 'default' },
      spec: {
        replicas: WORKLOAD.replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 5,
            topologySpreadConstraints: [
              {
                maxSkew: 2,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: labels },
              },
            ],
            containers: [{ name: 'shop', image: 'shop:1' }],
          },
        },
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: WORKLOAD.name, namespace: 'default' },
      spec: { maxUnavailable: WORKLOAD.maxUnavailable, selector: { matchLabels: labels } },
    },
  ];
}

/** Keeps account of the workload's pods: how few were ready, and which went down with their node. */
export class PodLedger {
  fewestReady = Number.POSITIVE_INFINITY;
  readonly lost = new Set<string>();
  ready = 0;

  /** `down`: machines that have no power or are not up, as the machines themselves know. */
  see(pods: readonly Pod[], down: ReadonlySet<string>): void {
    this.ready = pods.filter((pod) => serves(pod)).length;
    this.fewestReady = Math.min(this.fewestReady, this.ready);
    for (const pod of pods) {
      const { uid, deletionTimestamp } = pod.metadata;
      if (uid !== undefined && deletionTimestamp === undefined && down.has(pod.spec?.nodeName ?? ''))
        this.lost.add(uid);
    }
  }

  reset(): void {
    this.fewestReady = Number.POSITIVE_INFINITY;
    this.lost.clear();
  }
}

function serves(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && isReady(pod);
}
