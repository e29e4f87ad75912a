import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guardedCleanup, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { Fleet } from '../fleet.ts';
import { NodeNetwork } from './network.ts';
import { nodeIdentity } from './node-identity.ts';
import type { NodeParts } from './node-parts.ts';
import type { RealMachineKind, RealMachineOptions } from './real-machine-options.ts';
import { createRealMachine, type RealMachine } from './real-machine.ts';

const LEAVE_NOTHING = new URL('leave-nothing.sh', import.meta.url).pathname;

export interface RealFleetOptions extends Omit<RealMachineKind, 'cluster'> {
  cluster: Pick<
    Cluster,
    'url' | 'caPem' | 'kubeconfig' | 'egressSocket' | 'issueClientCert' | 'issueServerCert'
  >;
  count: number;
  /** Machines are named `<prefix>1`, `<prefix>2`, …; `node` unless told. */
  prefix?: string | undefined;
  /** Machines are spread over these in turn. */
  zones?: readonly string[] | undefined;
  /** OCI archives that every node has, besides those of its parts. */
  images?: readonly string[] | undefined;
  parts: NodeParts;
}

/** Real machines that live and vanish together, with the network between them. */
export class RealFleet extends Fleet {
  declare readonly machines: readonly RealMachine[];
  readonly network: NodeNetwork;

  constructor(
    machines: readonly RealMachine[],
    guarded: GuardedDirectory,
    kubeconfig: string,
    network: NodeNetwork,
  ) {
    super(machines, guarded, kubeconfig);
    this.network = network;
  }

  override async delete(): Promise<void> {
    await Promise.all(this.machines.map((machine) => machine.delete()));
    await this.network.close();
    await super.delete();
  }
}

/** Makes `count` real machines, switched off, of which nothing is left when this program ends, however it does. */
export async function createRealFleet(options: RealFleetOptions): Promise<RealFleet> {
  const { cluster, count, prefix = 'node', parts } = options;
  const id = `careen-${randomBytes(4).toString('hex')}`;
  const guarded = await fleetDirectory(id);
  const { path: directory, cleanup: within } = guarded;
  const network = await NodeNetwork.create({
    directory,
    within,
    apiPort: Number(new URL(cluster.url).port),
    egressSocket: cluster.egressSocket,
  });
  const imagesDirectory = await gather(join(directory, 'images'), [
    ...parts.images,
    ...(options.images ?? []),
  ]);
  const shared = { ...options, imagesDirectory, network, within, ledger: join(directory, 'loops') };
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const machines = await Promise.all(
    numbers.map((number) => {
      const name = `${prefix}${number}`;
      const own = { identity: nodeIdentity(name, number), group: `${id}-${name}` };
      return createRealMachine({
        ...shared,
        ...own,
        directory: join(directory, name),
        zone: zoneOf(number, options.zones),
      } satisfies RealMachineOptions);
    }),
  );
  return new RealFleet(machines, guarded, cluster.kubeconfig, network);
}

/** Its cleaning waits for all guarded processes, as that of any guarded directory, and then leaves nothing of nodes. */
async function fleetDirectory(id: string): Promise<GuardedDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'careen-nodes-'));
  const cleanup = guardedCleanup('sh "$1" "$2" "$3"', [LEAVE_NOTHING, path, id]);
  return { path, cleanup, remove: () => cleanup.end() };
}

/** One directory with all image archives, which every node mounts. */
async function gather(directory: string, archives: readonly string[]): Promise<string> {
  await mkdir(directory);
  for (const archive of archives) {
    const target = join(directory, basename(archive));
    await link(archive, target).catch(() => copyFile(archive, target)); // another file system
  }
  return directory;
}

function zoneOf(number: number, zones: readonly string[] = []): string | undefined {
  return zones[(number - 1) % Math.max(1, zones.length)];
}
