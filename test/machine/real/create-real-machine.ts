import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTROL_PLANE_TAINT } from '../control-plane-role.ts';
import { createDisk } from '../disk.ts';
import { nodeFiles } from './node-files.ts';
import type { RealMachineOptions } from './real-machine-options.ts';
import { RealMachine } from './real-machine.ts';
import { fillRoot } from './root-partition.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Makes a machine that is switched off: its disk with the OS in USR-A and an installed ROOT. */
export async function createRealMachine(options: RealMachineOptions): Promise<RealMachine> {
  const { directory } = options;
  await mkdir(join(directory, 'root'), { recursive: true });
  const disk = join(directory, 'disk.img');
  const { osImage, usrMiB = 128, rootMiB = 3072 } = options;
  const partitions = createDisk(disk, { usrMiB, rootMiB, osImage });
  const root = partitions.find(({ name }) => name === 'ROOT')!;
  const lines = partitions.map(({ index, name, partuuid }) => `${index} ${name} ${partuuid}\n`);
  await writeFile(join(directory, 'partitions'), lines.join(''));
  await fillRoot(disk, root, options.parts.state, await installedFiles(options));
  return new RealMachine(options, disk);
}

async function installedFiles(options: RealMachineOptions): Promise<Record<string, string>> {
  const { cluster, identity, zone, labels = {}, role, shutdownGraceSeconds } = options;
  const { name, address } = identity;
  const [client, serving] = await Promise.all([
    cluster.issueClientCert({ user: `system:node:${name}`, groups: ['system:nodes'] }),
    cluster.issueServerCert({ dns: [name], ip: [address] }),
  ]);
  return nodeFiles({
    identity,
    caPem: cluster.caPem,
    client,
    serving,
    labels: { ...(zone !== undefined && { [ZONE_LABEL]: zone }), ...labels },
    taints: role === 'control-plane' ? [CONTROL_PLANE_TAINT] : [],
    shutdownGraceSeconds,
  });
}
