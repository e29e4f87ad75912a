import type { KubeObject } from '#api/meta.ts';
import { deploymentPath } from './parts.ts';
import type { Check } from './check.ts';

interface Deployment extends KubeObject {
  spec: { replicas?: number };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
  };
}

/** Every replica of an operator is of the present revision and ready. */
export function replicas(operator: string): Check {
  return async ({ client, namespace }) => {
    const { metadata, spec, status = {} } = await client.get<Deployment>(deploymentPath(namespace, operator));
    const { replicas: wanted = 1 } = spec;
    if (status.observedGeneration !== metadata.generation) return { unwell: 'its change is not seen yet' };
    if (wanted === 0) return { unwell: 'is scaled to 0: nothing decides' };
    const { updatedReplicas: updated = 0, readyReplicas: ready = 0, replicas: all = 0 } = status;
    const said = `${ready} of ${wanted} replicas are ready, ${updated} up to date`;
    return ready >= wanted && updated >= wanted && all === wanted ? { well: said } : { unwell: said };
  };
}
