import { buildImages } from '#images/build-images.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { GATEWAY } from '#test/machine/real/network.ts';
import { findNodeParts } from '#test/machine/real/parts/find-node-parts.ts';
import { osTree } from '#test/machine/real/parts/os-tree.ts';
import { buildRealOsImage } from '#test/machine/real/parts/real-os-image.ts';
import { demandRealNodes } from '#test/machine/real/possible.ts';
import type { RealMachine } from '#test/machine/real/real-machine.ts';
import { createRealFleet, type RealFleet, type RealFleetOptions } from '#test/machine/real/real-fleet.ts';
import type { Ground, GroundSetup, Survey, Terrain } from './ground.ts';
import type { OsImage } from './os-images.ts';

const READY_WITHIN_MS = 300_000;

/**
 * Real nodes: the operators' pods live on the nodes that they reboot.
 * @throws RealNodeError, ImageError where this computer cannot make or run them
 */
export async function realTerrain({ started, progress }: Parameters<Survey>[0]): Promise<Terrain> {
  await demandRealNodes();
  const parts = await findNodeParts('bookworm', { progress });
  await osTree('trixie', { progress });
  const work = await guardedDirectory('careen-stack-images-');
  started.defer(() => work.remove());
  const { operators, agent } = await buildImages({
    directory: work.path,
    compression: 'none',
    notice: progress,
  });
  return {
    buildOsImage: buildImage,
    lay: (setup) => layRealGround(setup, { parts, images: [operators, agent] }),
  };
}

/** From 2.0.0 on the OS brings a newer systemd: 257 instead of 252. */
function buildImage(image: OsImage): Promise<void> {
  return buildRealOsImage({ ...image, suite: image.version.startsWith('1.') ? 'bookworm' : 'trixie' });
}

type Made = Pick<RealFleetOptions, 'parts' | 'images'>;

async function layRealGround(setup: GroundSetup, made: Made): Promise<Ground> {
  const { cluster, count, osImage, labels, started } = setup;
  const fleet = await createRealFleet({ cluster, count, prefix: 'machine-', labels, osImage, ...made });
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
    run: (machine, argv) => runOn(fleet, machine, argv),
  };
}

/** A machine that cannot even be started says why, at once; one that does not get Ready, what its units said. */
async function ready(fleet: RealFleet): Promise<void> {
  await Promise.all(fleet.machines.map((machine) => machine.waitForBoot(1, READY_WITHIN_MS)));
  await fleet.ready(READY_WITHIN_MS).catch(async (cause: unknown) => {
    const said = await Promise.all(fleet.machines.map(lastWords));
    throw new Error(`not all nodes got Ready\n${said.join('\n')}`, { cause });
  });
}

async function lastWords(machine: RealMachine): Promise<string> {
  const units = ['--unit=containerd', '--unit=kubelet'];
  const journal = ['journalctl', '--no-pager', '--lines=12', '--output=cat', ...units];
  const { stdout, stderr } = await machine.exec(journal);
  return `── ${machine.name}\n${stdout}${stderr}`;
}

async function runOn(fleet: RealFleet, name: string, argv: readonly string[]): Promise<string | undefined> {
  const machine = fleet.machines.find((one) => one.name === name);
  if (machine?.state().power !== 'up') return undefined;
  const { stdout } = await machine.exec(argv);
  return stdout;
}
