import type { KubeObject } from '#api/meta.ts';
import { AGENT, daemonSetPath } from './parts.ts';
import type { Check } from './check.ts';

interface DaemonSet extends KubeObject {
  status?: {
    observedGeneration?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberReady?: number;
  };
}

/** An agent of the present revision is ready on every node that is to have one. */
export const agents: Check = async ({ client, agentNamespace }) => {
  const { metadata, status = {} } = await client.get<DaemonSet>(daemonSetPath(agentNamespace, AGENT));
  if (status.observedGeneration !== metadata.generation) return { unwell: 'its change is not seen yet' };
  const {
    desiredNumberScheduled: wanted = 0,
    numberReady: ready = 0,
    updatedNumberScheduled: updated = 0,
  } = status;
  if (wanted === 0) return { unwell: 'no node is to have an agent: see agent.nodeSelector' };
  const said = `ready on ${ready} of ${wanted} nodes, up to date on ${updated}`;
  return ready >= wanted && updated >= wanted ? { well: said } : { unwell: said };
};
