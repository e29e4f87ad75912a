import type { KubeObject } from '#api/meta.ts';
import { endpointSlicesPath } from './parts.ts';
import type { Check } from './check.ts';

interface EndpointSlice extends KubeObject {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

const DIAL_MS = 5000;

/** What endpoints are asked, and how they answer when all is well. */
export interface Question {
  /** Name of the Service's port. */
  port: string;
  path: string;
  status: number;
}

const READY: Question = { port: 'http', path: '/readyz', status: 200 };
/** A payload that nobody has: the mirror looks where it keeps them before it says no. */
export const PAYLOADS: Question = {
  port: 'payloads',
  path: `/payloads/${'0'.repeat(64)}/check`,
  status: 404,
};
/** Not a POST: it is said no to, and leaves no machine behind. */
export const OMAHA: Question = { port: 'omaha', path: '/v1/update/', status: 405 };

/** A Service has endpoints, and each answers as it should. */
export function endpoints(service: string, question = READY): Check {
  return async ({ client, namespace, dial }) => {
    const query = { labelSelector: `kubernetes.io/service-name=${service}` };
    const { items } = await client.list<EndpointSlice>(endpointSlicesPath(namespace), query);
    const urls = items.flatMap((slice) => readyUrls(slice, question));
    if (urls.length === 0) return { unwell: 'its Service has no ready endpoint' };
    if (!dial) return { well: `ready endpoints of its Service: ${urls.length}` };
    const answers = await Promise.all(urls.map((url) => complaint(url, question)));
    const complaints = answers.filter((answer) => answer !== undefined);
    if (complaints.length > 0) return { unwell: complaints.join('; ') };
    return { well: `${urls.length} endpoints of its Service answer ${question.path}` };
  };
}

function readyUrls({ endpoints, ports }: EndpointSlice, { port: wanted, path }: Question): string[] {
  const port = ports?.find(({ name }) => name === wanted)?.port;
  if (port === undefined) return [];
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) =>
    addresses.map((address) => `http://${host(address)}:${port}${path}`),
  );
}

function host(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

async function complaint(url: string, { status }: Question): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DIAL_MS) });
    const text = await answer.text();
    return answer.status === status ? undefined : `${url} answers ${answer.status}: ${text.trim()}`;
  } catch (error) {
    const { cause, message } = error as Error;
    return `${url} does not answer: ${cause instanceof Error ? cause.message : message}`;
  }
}
