import { listeningPorts } from './listening-port.ts';
import type { PodContainer } from './pod.ts';

/**
 * Whether the process of a container is ready: by its HTTP readiness probe, on whatever port it listens (all
 * machines share one network, so no port is the one of the spec); without a probe as soon as it runs.
 */
export async function isProcessReady(container: PodContainer, pid: number): Promise<boolean> {
  const path = container.readinessProbe?.httpGet?.path;
  if (path === undefined) return true;
  for (const port of await listeningPorts(pid)) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1000) });
    await answer.body?.cancel();
    if (answer.ok) return true;
  }
  return false;
}
