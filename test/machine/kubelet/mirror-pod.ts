import type { Node } from '#api/meta.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { MIRROR_ANNOTATION, type PodSpec } from './pod.ts';

/** A pod that the machine runs by itself; the API only shows its mirror. */
export interface StaticPod {
  name: string;
  namespace: string;
  labels?: Record<string, string> | undefined;
  spec: PodSpec;
}

/** Shows a static pod in the API, named `<name>-<node>` and owned by the Node, as kubelets do. */
export async function showMirrorPod(
  client: KubeClient,
  node: Node,
  pod: StaticPod,
  signal: AbortSignal,
): Promise<void> {
  try {
    const path = `/api/v1/namespaces/${pod.namespace}/pods`;
    await client.create(path, mirrorOf(node, pod), {}, { signal });
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

function mirrorOf(node: Node, pod: StaticPod): object {
  const { name, uid } = node.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${pod.name}-${name}`,
      namespace: pod.namespace,
      labels: pod.labels,
      annotations: { [MIRROR_ANNOTATION]: pod.name, 'kubernetes.io/config.source': 'file' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid, controller: true }],
    },
    spec: { ...pod.spec, nodeName: name },
  };
}
