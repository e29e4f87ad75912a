import type { KubeObject } from '#api/meta.ts';
import { endpointSlicesPath } from './parts.ts';
import type { Check } from './check.ts';

interface EndpointSlice extends KubeObject {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

const DIAL_MS = 5000;

/** An operator's Service has endpoints, and each answers /readyz. */
export function endpoints(operator: string): Check {
  return async ({ client, namespace, dial }) => {
    const query = { labelSelector: `kubernetes.io/service-name=${operator}` };
    const { items } = await client.list<EndpointSlice>(endpointSlicesPath(namespace), query);
    const urls = items.flatMap(readyUrls);
    if (urls.length === 0) return { unwell: 'its Service has no ready endpoint' };
    if (!dial) return { well: `ready endpoints of its Service: ${urls.length}` };
    const answers = await Promise.all(urls.map(complaint));
    const complaints = answers.filter((answer) => answer !== undefined);
    if (complaints.length > 0) return { unwell: complaints.join('; ') };
    return { well: `${urls.length} endpoints of its Service answer /readyz` };
  };
}

function readyUrls({ endpoints, ports }: EndpointSlice): string[] {
  const port = ports?.find(({ name }) => name === 'http')?.port;
  if (port === undefined) return [];
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) =>
    addresses.map((address) => `http://${host(address)}:${port}/readyz`),
  );
}

function host(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function complaint(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DIAL_MS) });
    const text = await answer.text();
    return answer.ok ? undefined : `${url} answers ${answer.status}: ${text.trim()}`;
  } catch (error) {
    const { cause, message } = error as Error;
    return `${url} does not answer: ${cause instanceof Error ? cause.message : message}`;
  }
}
