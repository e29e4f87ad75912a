import type { KubeletPod, PodContainer } from './pod.ts';

/** What the downward API tells a container about its pod and node. */
export interface DownwardFacts {
  hostIP: string;
  podIP: string;
}

/**
 * The environment that the pod's spec gives a container.
 * @throws {Error} for a source that this kubelet does not know, naming it
 */
export function environment(
  pod: KubeletPod,
  container: PodContainer,
  facts: DownwardFacts,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) env[name] = expand(value ?? '', env);
    else env[name] = field(pod, valueFrom.fieldRef?.fieldPath ?? `${name}: not a fieldRef`, facts);
  }
  return env;
}

/** Replaces `$(NAME)` by the variable's value, and `$$(` by `$(`; an unknown name stays as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/gu, (match, name?: string) =>
    name === undefined ? '$' : (env[name] ?? match),
  );
}

function field(pod: KubeletPod, path: string, facts: DownwardFacts): string {
  const { metadata, spec } = pod;
  const fields: Record<string, string | undefined> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'spec.serviceAccountName': spec.serviceAccountName,
    'status.hostIP': facts.hostIP,
    'status.podIP': facts.podIP,
  };
  const value = fields[path];
  if (value === undefined) throw new Error(`this kubelet cannot give a container the field ${path}`);
  return value;
}
