import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeGroup } from '#api/kinds.ts';
import { newSeed, seedOf } from '#scripts/test/seed.ts';
import { until } from '#test/cluster/until.ts';
import type { Machine } from '#test/machine/machine.ts';
import { allRest, readWorld } from '#test/stack/objects.ts';
import { seededRandom } from '#test/seeded-random.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';
import { makeTrouble, tally, type Mischief } from './trouble.ts';

const SEED = seedOf(process.env) ?? newSeed();
/** Releases follow each other while the trouble lasts, so that it meets every phase. */
const VERSIONS = ['2.0.0', '2.1.0', '2.2.0'];
const EACH_MS = 14_000;

let stack: Stack;

before(async () => {
  stack = await startStack({ machines: 4, firstVersion: '1.0.0', times: { bootMs: 400, shutdownMs: 200 } });
  // Slow enough that trouble meets machines in the middle of their staging.
  stack.payloads.bytesPerSecond = 6 * 1024 * 1024;
});

after(() => stack?.stop());

test('machines whose power fails and whose agents die at any moment always boot, and update in the end', async (t) => {
  t.diagnostic(`seed ${SEED}; repeat with CAREEN_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const { machines } = stack.fleet;
  const world = () => readWorld(stack.client, 'workers', 'app=none');
  await stack.publishAndDeclare('1.0.0');
  await stack.applyGroup(patientGroup);
  await until('all machines rest on 1.0.0', async () => allRest(await world(), stack.machineNames, '1.0.0'), {
    timeoutMs: 180_000,
  });

  const stop = new AbortController();
  const kinds = machines.flatMap((machine) => troubleOf(machine, random));
  const trouble = makeTrouble(kinds, random, stop.signal);
  for (const version of VERSIONS) {
    await stack.publishAndDeclare(version);
    await sleep(EACH_MS);
  }
  stop.abort();
  t.diagnostic(`trouble made: ${tally(await trouble)}`);

  for (const machine of machines) {
    assert.notEqual(machine.state().power, 'stuck', `${machine.name} found nothing to boot`);
  }
  const last = VERSIONS.at(-1) ?? '';
  await until(`every machine runs ${last}`, async () => allRest(await world(), stack.machineNames, last), {
    timeoutMs: 600_000,
    everyMs: 250,
  });
  t.diagnostic(`boots: ${machines.map((machine) => machine.state().boots).join(', ')}`);
});

/** Failures are expected here and forgiven: a first boot whose power was cut often enough is a failed version. */
function patientGroup({ spec }: NodeGroup): void {
  spec.reboot.maxUnavailable = '100%';
  spec.reboot.minReadySeconds = 0;
  if (spec.update === undefined) return;
  spec.update.rollout = {
    ...spec.update.rollout,
    haltOn: { failures: 1000, minTried: 1000, acknowledged: VERSIONS },
    retry: { limit: 20, backoff: '1s' },
  };
}

function troubleOf(machine: Machine, random: () => number): Mischief[] {
  return [
    { name: 'agent kill', weight: 2, make: () => void machine.kill('agent', 'SIGKILL') },
    {
      name: 'power cut',
      weight: 3,
      make: async () => {
        await machine.cutPower();
        await sleep(random() * 500);
        machine.powerOn();
      },
    },
    {
      name: 'cable pulled',
      weight: 1,
      make: async () => {
        machine.unplug();
        await sleep(random() * 3000);
        machine.plug();
      },
    },
  ];
}
