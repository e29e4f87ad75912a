import type { z } from 'zod';
import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { nodeConfigSpec } from '#api/node-config.ts';

export type GivenSpec = Partial<z.input<typeof nodeConfigSpec>>;

/** A NodeConfig as the API server would give it back; without a selector it selects every node. */
export function nodeConfig(name: string, spec: GivenSpec, generation = 1): NodeConfig {
  return {
    apiVersion: 'careen.dev/v1alpha1',
    kind: 'NodeConfig',
    metadata: { name, uid: `uid-of-${name}`, generation },
    spec: nodeConfigSpec.parse({ nodeSelector: {}, ...spec }),
  };
}

export function node(name: string, labels: Record<string, string> = {}): Node {
  return {
    metadata: { name, uid: `uid-of-${name}`, labels },
    status: {
      addresses: [
        { type: 'Hostname', address: name },
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
      ],
    },
  };
}

/** No ConfigMap or Secret exists. */
export const nothing = (): undefined => undefined;
