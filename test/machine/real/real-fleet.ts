import { copyFile, link, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Cluster } from '#test/cluster/cluster.ts';
import { guardedDirectory, type GuardedDirectory } from '#test/cluster/guardian.ts';
import { Fleet } from '../fleet.ts';
import { createRealMachine } from './create-real-machine.ts';
import { demandInotifyRoom } from './inotify-room.ts';
import { NodeNetwork } from './network.ts';
import { nodeIdentity } from './node-identity.ts';
import type { NodeParts } from './node-parts.ts';
import type { RealMachineKind } from './real-machine-options.ts';
import { findNodeParts } from './parts/find-node-parts.ts';
import { demandRealNodes } from './possible.ts';
import type { RealMachine } from './real-machine.ts';

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
  /** Found, and made where they are not in the cache, unless told. */
  parts?: NodeParts | undefined;
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

  override async ready(timeoutMs?: number): Promise<void> {
    await Promise.race([super.ready(timeoutMs), ...this.machines.map(({ failed }) => failed)]);
  }

  override async delete(): Promise<void> {
    await super.delete();
    this.network.close();
  }
}

/**
 * Makes `count` real machines, switched off, of which nothing is left when this program ends, however it does.
 * @throws RealNodeError NotPossible where this computer cannot run them; see `realNodesPossible`
 */
export async function createRealFleet(options: RealFleetOptions): Promise<RealFleet> {
  await demandRealNodes();
  await demandInotifyRoom(options.count);
  // Its cleaning waits for all guarded processes, and then leaves nothing of nodes.
  const guarded = await guardedDirectory('careen-nodes-', 'sh "$2" "$1"', [LEAVE_NOTHING]);
  try {
    const network = await createNetwork(options, guarded);
    const machines = await createMachines(options, guarded, network);
    return new RealFleet(machines, guarded, options.cluster.kubeconfig, network);
  } catch (error) {
    await guarded.remove();
    throw error;
  }
}

function createNetwork({ cluster }: RealFleetOptions, guarded: GuardedDirectory): Promise<NodeNetwork> {
  return NodeNetwork.create({
    directory: guarded.path,
    within: guarded.cleanup,
    apiPort: Number(new URL(cluster.url).port),
    egressSocket: cluster.egressSocket,
  });
}

async function createMachines(
  options: RealFleetOptions,
  guarded: GuardedDirectory,
  network: NodeNetwork,
): Promise<RealMachine[]> {
  const { count, prefix = 'node', zones, images = [] } = options;
  const parts = options.parts ?? (await findNodeParts());
  const { path, cleanup: within } = guarded;
  const imagesDirectory = await gather(join(path, 'images'), [...parts.images, ...images]);
  const shared = { ...options, parts, imagesDirectory, network, within, ledger: join(path, 'loops') };
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const make = (number: number): Promise<RealMachine> => {
    const identity = nodeIdentity(`${prefix}${number}`, number);
    const directory = join(path, identity.name);
    const group = `${basename(path)}-${identity.name}`;
    return createRealMachine({ ...shared, identity, directory, group, zone: zoneOf(number, zones) });
  };
  return Promise.all(numbers.map(make));
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
