import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CORDON_ANNOTATION } from '#api/group.ts';
import type { Node } from '#api/meta.ts';
import { newSeed, seedOf } from '#scripts/test/seed.ts';
import { until } from '#test/cluster/until.ts';
import { Observer } from '#test/observer/observer.ts';
import { PowerLog } from '#test/observer/power-log.ts';
import { allRest, readWorld } from '#test/stack/objects.ts';
import { seededRandom } from '#test/seeded-random.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';
import { makeTrouble, tally, type Mischief } from './trouble.ts';

const SEED = seedOf(process.env) ?? newSeed();
const BUDGET = 2;
/** Longer than the lease that the operators get here: a paused leader comes back deposed. */
const PAUSE_MS = 4000;

let stack: Stack;

before(async () => {
  stack = await startStack({
    machines: 7,
    firstVersion: '1.0.0',
    faults: true,
    times: { bootMs: 700, shutdownMs: 300 },
    values: { lease: { duration: '3s', renewDeadline: '2s', retryPeriod: '500ms' }, logLevel: 'debug' },
  });
});

after(() => stack?.stop());

test('a rollout survives dead, paused and doubled leaders, lost replies and a restarting API server', async (t) => {
  t.diagnostic(`seed ${SEED}; repeat with CAREEN_SEED=${SEED}`);
  const random = seededRandom(SEED);
  const foreign = 'machine-7';
  const others = stack.machineNames.filter((name) => name !== foreign);
  const observer = new Observer(stack.cluster, ({ metadata }) => stack.machineNames.includes(metadata.name));
  const power = new PowerLog(stack.fleet.machines);
  t.after(() => observer.stop());
  t.after(() => power.stop());
  observer.start();

  await stack.publishAndDeclare('1.0.0');
  await stack.applyGroup(({ spec }) => {
    spec.reboot.maxUnavailable = BUDGET;
    spec.reboot.minReadySeconds = 1;
  });
  const world = () => readWorld(stack.client, 'workers', 'app=none');
  await until('all machines rest on 1.0.0', async () => allRest(await world(), stack.machineNames, '1.0.0'), {
    timeoutMs: 180_000,
  });
  await stack.kubectl(['cordon', foreign]);
  const blackouts = await declareBlackouts([6, 20]);

  // A person whose kubectl finds no API server tries again; here it is done before the trouble begins.
  await stack.publishAndDeclare('2.0.0');
  const stop = new AbortController();
  const trouble = makeTrouble(kindsOfTrouble(random), random, stop.signal);
  try {
    await until('all others run 2.0.0', async () => allRest(await world(), others, '2.0.0'), {
      timeoutMs: 600_000,
      everyMs: 250,
    });
  } finally {
    stop.abort();
    t.diagnostic(`trouble made: ${tally(await trouble)}`);
    stack.faults?.clear();
  }

  const { ledger } = observer;
  // Nodes that are taken for lost while the API server restarts are nobody's fault, but then nobody may cordon more.
  const { count, nodes } = ledger.worstTaken;
  assert.ok(count <= BUDGET, `${count} taken at once: ${nodes.join(', ')}`);
  assert.ok(power.stops.filter(({ acceptedAt }) => acceptedAt !== undefined).length >= others.length);
  for (const { from, to } of blackouts) {
    // A machine may take its time to go down, but not to decide it.
    const inside = power.stops.filter(({ at, acceptedAt = at }) => acceptedAt >= from && acceptedAt < to);
    assert.deepEqual(inside, [], 'a reboot was begun while the window was closed');
  }
  await assertCordons(foreign);
  await stack.kubectl(['uncordon', foreign]);
  await until(
    'the node that a person had cordoned follows',
    async () => allRest(await world(), [foreign], '2.0.0'),
    { timeoutMs: 180_000 },
  );
});

/** Two blackouts of six seconds, `afterSeconds` from now; gives their instants. */
async function declareBlackouts(afterSeconds: readonly number[]): Promise<{ from: number; to: number }[]> {
  const spans = afterSeconds.map((seconds) => {
    const from = Math.ceil(Date.now() / 1000 + seconds) * 1000;
    return { from, to: from + 6000 };
  });
  const deny = spans.map(({ from, to }) => ({ from: rfc3339(from), to: rfc3339(to) }));
  await stack.apply([
    {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'RebootWindow',
      metadata: { name: 'blackouts' },
      spec: { nodeSelector: {}, deny },
    },
  ]);
  return spans;
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

async function assertCordons(foreign: string): Promise<void> {
  const { items } = await stack.client.list<Node>('/api/v1/nodes');
  const cordoned = items
    .filter(({ spec }) => spec?.unschedulable === true)
    .map(({ metadata }) => metadata.name);
  assert.deepEqual(cordoned, [foreign], 'the foreign cordon stays and none of ours is left');
  const marked = items.filter(({ metadata }) => metadata.annotations?.[CORDON_ANNOTATION] !== undefined);
  assert.deepEqual(
    marked.map(({ metadata }) => metadata.name),
    [],
  );
}

function kindsOfTrouble(random: () => number): Mischief[] {
  const { ground, faults, cluster, fleet } = stack;
  const operator = () => (random() < 0.5 ? 'update' : 'reboot-lock');
  const anyProcess = () => {
    const processes = ground.hosts.flatMap((host) => host.processes());
    return processes[Math.floor(random() * processes.length)];
  };
  const write = { write: true, user: /careen-(update|reboot-lock)$/ };
  return [
    { name: 'kill', weight: 3, make: () => signalProcess(anyProcess()?.pid, 'SIGKILL') },
    {
      name: 'kill both replicas',
      weight: 1,
      make: () => {
        const program = operator();
        for (const host of ground.hosts) host.kill(program, 'SIGKILL');
      },
    },
    {
      name: 'pause',
      weight: 3,
      make: async () => {
        const pid = anyProcess()?.pid;
        signalProcess(pid, 'SIGSTOP');
        await sleep(PAUSE_MS);
        signalProcess(pid, 'SIGCONT');
      },
    },
    {
      name: 'lost reply',
      weight: 3,
      make: () => void faults?.fault({ kind: 'drop-after', match: write, times: 3 }),
    },
    {
      name: 'lost request',
      weight: 2,
      make: () => void faults?.fault({ kind: 'drop-before', match: write, times: 3 }),
    },
    {
      name: 'conflict',
      weight: 2,
      make: () =>
        void faults?.fault({ kind: 'status', status: 409, reason: 'Conflict', match: write, times: 3 }),
    },
    {
      name: 'server error',
      weight: 2,
      make: () => void faults?.fault({ kind: 'status', status: 500, times: 5 }),
    },
    {
      name: 'too many requests',
      weight: 1,
      make: () => void faults?.fault({ kind: 'status', status: 429, retryAfterSeconds: 1, times: 5 }),
    },
    {
      name: 'stale watch',
      weight: 2,
      make: () => void faults?.fault({ kind: 'delay', delayMs: 1500, match: { watch: true }, times: 2 }),
    },
    { name: 'broken watches', weight: 2, make: () => void faults?.breakWatches() },
    {
      name: 'duplicated events',
      weight: 1,
      make: () => void faults?.fault({ kind: 'duplicate-events', times: 2 }),
    },
    { name: 'API server restart', weight: 1, make: () => cluster.restartApiServer() },
    {
      name: 'agent kill',
      weight: 2,
      make: () => {
        fleet.machines[Math.floor(random() * fleet.machines.length)]?.kill('agent', 'SIGKILL');
      },
    },
  ];
}

function signalProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
