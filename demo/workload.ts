import { isReady, type Pod } from '#api/meta.ts';

/** The application that must not notice: a Deployment and its disruption budget. */
export const WORKLOAD = { name: 'shop', replicas: 12, maxUnavailable: 2 };

/** Patient with a computer that is busy: only the first answer is to be heard of soon. */
const OPEN = {
  httpGet: { path: '/', port: 8080 },
  periodSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 6,
};

export interface Size {
  replicas: number;
  /** How many of them may be unavailable at once; a percentage as well. */
  maxUnavailable: number | string;
}

export function workloadManifests({ replicas, maxUnavailable }: Size = WORKLOAD): object[] {
  const labels = { app: WORKLOAD.name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: WORKLOAD.name, namespace: 'default' },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 2,
            topologySpreadConstraints: [
              {
                maxSkew: 2,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: labels },
              },
            ],
            containers: [{ name: 'shop', image: 'shop:1', readinessProbe: OPEN }],
          },
        },
      },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: WORKLOAD.name, namespace: 'default' },
      spec: { maxUnavailable, selector: { matchLabels: labels } },
    },
  ];
}

/** Machines by name: whether each runs, and in which boot. */
export type Power = ReadonlyMap<string, { up: boolean; boots: number }>;

/** Keeps account of the workload's pods: how few were ready, and which went down with their node. */
export class PodLedger {
  fewestReady = Number.POSITIVE_INFINITY;
  readonly lost = new Set<string>();
  ready = 0;
  /** Boot of its node in which each pod was first seen. */
  readonly #boots = new Map<string, number>();

  /**
   * Machines by name, as they knew themselves before the pods were read and after: what went down in between may have
   * let its pods go first. A pod that nobody asked to leave is lost when its node is down, or has been since the pod
   * was first seen: a real node may be back before anybody looks again.
   */
  see(pods: readonly Pod[], before: Power, after: Power = before): void {
    this.ready = pods.filter((pod) => serves(pod)).length;
    this.fewestReady = Math.min(this.fewestReady, this.ready);
    for (const { metadata, spec } of pods) {
      const was = before.get(spec?.nodeName ?? '');
      const is = after.get(spec?.nodeName ?? '');
      if (was === undefined || is === undefined || metadata.uid === undefined) continue;
      const first = this.#boots.get(metadata.uid) ?? is.boots;
      this.#boots.set(metadata.uid, first);
      if (metadata.deletionTimestamp !== undefined) continue;
      const isDown = !was.up && !is.up && was.boots === is.boots;
      if (isDown || was.boots > first) this.lost.add(metadata.uid);
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
