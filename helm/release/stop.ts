import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { deploymentPath, OPERATORS } from './parts.ts';

/**
 * Scales the operators to nothing, so that none of them goes on deciding while the release is taken away. It does not
 * wait for their end: who comes after must take their Lease, which a leader that still runs does not give away.
 */
export async function stopOperators(
  client: KubeClient,
  namespace: string,
  tell: (line: string) => void,
): Promise<void> {
  for (const operator of OPERATORS) {
    const path = `${deploymentPath(namespace, operator)}/scale`;
    try {
      await client.mergePatch(path, { spec: { replicas: 0 } }, { fieldManager: 'careen-release' });
      tell(`${operator} is scaled to 0`);
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      tell(`${operator} is gone already`);
    }
  }
}
