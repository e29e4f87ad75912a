import path from 'node:path';
import { buildImages } from '#images/build-images.ts';
import { GATEWAY } from '#test/machine/real/network.ts';
import { findNodeParts } from '#test/machine/real/parts/find-node-parts.ts';
import { buildRealOsImage } from '#test/machine/real/parts/real-os-image.ts';
import { createRealFleet, type RealFleet } from '#test/machine/real/real-fleet.ts';
import type { Ground, GroundSetup, Terrain } from './ground.ts';
import type { OsImage } from './os-images.ts';

/** Real nodes: the operators' pods live on the nodes that they reboot. */
export const REAL: Terrain = { buildOsImage: buildImage, lay: layRealGround };

const READY_WITHIN_MS = 120_000;

/** From 2.0.0 on the OS brings a newer systemd: 257 instead of 252. */
function buildImage(image: OsImage): Promise<void> {
  return buildRealOsImage({ ...image, suite: image.version.startsWith('1.') ? 'bookworm' : 'trixie' });
}

async function layRealGround(setup: GroundSetup): Promise<Ground> {
  const { cluster, count, osImage, labels, started, progress } = setup;
  const parts = await findNodeParts('bookworm', { progress });
  const directory = path.join(cluster.directory, 'images');
  const images = await buildImages({ directory, compression: 'none', notice: progress });
  const fleet = await createRealFleet({
    cluster,
    count,
    prefix: 'machine-',
    labels,
    osImage,
    parts,
    images: [images.operators, images.agent],
  });
  started.defer(() => fleet.delete());
  return groundOf(fleet);
}

function groundOf(fleet: RealFleet): Ground {
  return {
    fleet,
    hosts: fleet.machines,
    values: {},
    powerOn: () => fleet.powerOn(),
    ready: () => ready(fleet),
    reach: async (port) => {
      await fleet.network.forward(port);
      return `${GATEWAY}:${port}`;
    },
    systemd: (machine) => systemdOf(fleet, machine),
  };
}

/** A machine that cannot even be started says why, at once. */
async function ready(fleet: RealFleet): Promise<void> {
  await Promise.all(fleet.machines.map((machine) => machine.waitForBoot(1, READY_WITHIN_MS)));
  await fleet.ready(READY_WITHIN_MS);
}

async function systemdOf(fleet: RealFleet, name: string): Promise<string | undefined> {
  const machine = fleet.machines.find((one) => one.name === name);
  if (machine?.state().power !== 'up') return undefined;
  const { stdout } = await machine.exec(['systemctl', '--version']);
  return /^systemd (\d+)/u.exec(stdout)?.[1];
}
