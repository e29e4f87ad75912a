import { buildBundles } from '#scripts/build.ts';
import { createFleet, type Fleet, type FleetOptions } from '#test/machine/fleet.ts';
import { buildOsImage } from '#test/machine/os-image.ts';
import type { Ground, GroundSetup, Terrain } from './ground.ts';
import type { OsImage } from './os-images.ts';

const ROLE = 'node-role.kubernetes.io/control-plane';

/** The operators' pods are on a machine of their own, which takes no updates. */
const ON_HOST = {
  nodeSelector: { [ROLE]: '' },
  tolerations: [{ key: ROLE, operator: 'Exists', effect: 'NoSchedule' }],
};

/** Light machines. */
export async function lightTerrain(): Promise<Terrain> {
  await buildBundles();
  return { buildOsImage: buildLightImage, lay: layLightGround };
}

async function buildLightImage({ path, version, behaviour }: OsImage): Promise<void> {
  if (behaviour === 'no-kubelet') throw new RangeError('the OS image of a light machine has no kubelet');
  await buildOsImage({ path, version, behaviour });
}

async function layLightGround(setup: GroundSetup): Promise<Ground> {
  const { cluster, count, osImage, labels, times, podApi, operatorsAmong, started } = setup;
  const fleetOf = async (options: Omit<FleetOptions, 'cluster' | 'times'>): Promise<Fleet> => {
    const made = await createFleet({ cluster, times, ...options });
    started.defer(() => made.delete());
    return made;
  };
  const hosts = await fleetOf({ count: 1, prefix: 'control-', role: 'control-plane', podApi });
  const fleet = await fleetOf({ count, prefix: 'machine-', labels, osImage });
  return {
    fleet,
    hosts: hosts.machines,
    values: operatorsAmong ? {} : { update: ON_HOST, rebootLock: ON_HOST, nodeConfig: ON_HOST },
    powerOn: () => [hosts, fleet].forEach((one) => one.powerOn()),
    ready: async () => void (await Promise.all([hosts.ready(), fleet.ready()])),
    reach: async (port) => `127.0.0.1:${port}`,
    run: async () => undefined,
  };
}
