import path from 'node:path';
import { startPostgres } from '#operators/update/omaha/store/testing/postgres/server.ts';
import { withoutPostgres } from '#operators/update/omaha/store/testing/postgres/binaries.ts';
import { guarded, guardedDirectory } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { RealNodeError } from '#test/machine/real/real-node-error.ts';
import type { NodesKind } from '#test/stack/ground.ts';
import type { Stack } from '#test/stack/stack.ts';

const SECRET = 'machines-database';
const SERVICE = '/api/v1/namespaces/careen-system/services/careen-omaha:omaha/proxy/v1/update/';
const ANSWERS_WITHIN_MS = 180_000;

/** How the update operator of a stack answers machines, and where they find it. */
export interface OmahaEndpoint {
  /** Values of the chart. */
  values: Record<string, unknown>;
  /** Does what needs the cluster, waits until the endpoint answers, and gives its URL. */
  open(stack: Stack): Promise<string>;
  close(): Promise<void>;
}

/**
 * On real nodes as docs/omaha.md has it: PostgreSQL, two replicas that both answer, a Service. On light ones the
 * operator is a process of this computer and keeps its machines in a file.
 * @throws RealNodeError where real nodes are asked for and there is no PostgreSQL; the message says what to install
 */
export async function omahaEndpoint(nodes: NodesKind): Promise<OmahaEndpoint> {
  const missing = nodes === 'real' && withoutPostgres();
  if (missing !== false) throw new RealNodeError('NotPossible', missing);
  const made = new AsyncDisposableStack();
  const directory = await guardedDirectory('careen-demo-omaha-');
  made.defer(() => directory.remove());
  const endpoint = nodes === 'light' ? await inFile(directory.path) : inDatabase(directory, made);
  return { ...endpoint, close: () => made.disposeAsync() };
}

async function inFile(directory: string): Promise<Omit<OmahaEndpoint, 'close'>> {
  const port = await freePort();
  const file = path.join(directory, 'machines.db');
  const rates = ['--omaha-address-rate=0', '--omaha-machine-rate=0'];
  const extraArgs = [`--omaha-address=127.0.0.1:${port}`, `--omaha-file=${file}`, ...rates];
  const url = `http://127.0.0.1:${port}/v1/update/`;
  return { values: { update: { replicas: 1, extraArgs } }, open: () => answering(url) };
}

function inDatabase(
  directory: Awaited<ReturnType<typeof guardedDirectory>>,
  made: AsyncDisposableStack,
): Omit<OmahaEndpoint, 'close'> {
  // All machines come from one address, much faster than their like.
  const omaha = { enabled: true, addressRate: 0, machineRate: 0, database: { secretName: SECRET } };
  const open = async (stack: Stack): Promise<string> => {
    const database = await startPostgres(directory);
    const urls = `postgresql://careen@${await stack.ground.reach(database.port)}/postgres`;
    const metadata = { name: SECRET, namespace: 'careen-system' };
    await stack.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { urls } }]);
    const port = await freePort();
    const { tools, kubeconfig } = stack.cluster;
    const proxy = ['--kubeconfig', kubeconfig, 'proxy', '--port', String(port)];
    const running = (await guarded(tools.kubectl, proxy, { graceMs: 0 })).unref();
    made.defer(() => running.stop().then(() => undefined));
    return answering(`http://127.0.0.1:${port}${SERVICE}`);
  };
  return { values: { omaha }, open };
}

/** An empty request is refused by the endpoint; what stands before it says something else. */
async function answering(url: string): Promise<string> {
  const asks = async () => {
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(5000) });
    await answer.body?.cancel();
    return answer.headers.has('careen-reason');
  };
  await until('the Omaha endpoint answers', () => asks().catch(() => false), {
    timeoutMs: ANSWERS_WITHIN_MS,
  });
  return url;
}
