import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { resourcePath } from '#api/group.ts';
import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { KubeObject, Pod } from '#api/meta.ts';
import { Informer } from '#runtime/informer/informer.ts';
import type { Lease } from '#runtime/leader/lease.ts';
import { until } from '#test/cluster/until.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';

/** The operators run as pods on the machines that they reboot; nobody else is there to do it. */

const NAMESPACE = 'careen-system';
const TIMES = { bootMs: 500, shutdownMs: 200 };
/** The chart's retry period is 2 s; a lease that nobody let go of lasts 15 s, and so long a slow machine may take. */
const HANDOVER_MS = 15_000;
/** A slow machine may take this long to bring about what takes others seconds. */
const PATIENCE_MS = 480_000;

/** What is seen of leaders and places, from outside. */
class Watcher {
  readonly #stack: Stack;
  readonly #informers: { stop(): Promise<void> }[];
  readonly #nodeOf = new Map<string, string>();
  readonly #freeSince = new Map<string, number>();
  readonly #holders = new Map<string, string>();
  readonly #placed = new Set<string>();
  readonly #startedAt = performance.now();
  /** Milliseconds for which each lease was free between two leaders. */
  readonly handovers: { lease: string; ms: number }[] = [];
  /** Leaders that were followed by another one without having let go: their lease had to expire. */
  readonly expired: string[] = [];
  /** Places in the order in which they were taken, and how many others waited when it was the leader's own node. */
  readonly places: { node: string; own: boolean; others: number; afterMs: number }[] = [];

  constructor(stack: Stack) {
    this.#stack = stack;
    this.#informers = [
      this.#watch<Lease>(`/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`, (lease) =>
        this.#lease(lease),
      ),
      this.#watch<Pod>(`/api/v1/namespaces/${NAMESPACE}/pods`, (pod) => this.#pod(pod)),
      this.#watch<RebootLock>(resourcePath('RebootLock'), (lock) => this.#lock(lock)),
    ];
  }

  #watch<T extends KubeObject>(path: string, onChange: (object: T) => void): Informer<T> {
    const onEvent = (_: string, object: T) => onChange(object);
    const informer = new Informer<T>({ client: this.#stack.client, path, onChange: onEvent });
    informer.start();
    return informer;
  }

  #pod({ metadata, spec }: Pod): void {
    if (spec?.nodeName !== undefined) this.#nodeOf.set(metadata.name, spec.nodeName);
  }

  #lease({ metadata: { name }, spec }: Lease): void {
    const holder = spec?.holderIdentity ?? '';
    const before = this.#holders.get(name);
    if (before === holder) return;
    const now = performance.now();
    if (holder === '') this.#freeSince.set(name, now);
    else if (before !== undefined && before !== '') this.expired.push(`${name}: ${before} to ${holder}`);
    else if (before === '')
      this.handovers.push({ lease: name, ms: now - (this.#freeSince.get(name) ?? now) });
    this.#holders.set(name, holder);
  }

  #lock({ metadata, status }: RebootLock): void {
    if (metadata.name !== 'workers') return;
    for (const { id, since, by } of status?.holders ?? []) {
      if (this.#placed.has(`${id} ${since}`)) continue;
      this.#placed.add(`${id} ${since}`);
      const own = this.#nodeOf.get(by) === id;
      const afterMs = Math.round(performance.now() - this.#startedAt);
      this.places.push({ node: id, own, others: status?.waitingCount ?? 0, afterMs });
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.stop()));
  }
}

interface Scene {
  machines: number;
  replicas?: number;
}

/** One stack, its machines on 1.0.0 and its operators among them. */
function scene({ machines, replicas = 2 }: Scene) {
  let stack: Stack;
  let watcher: Watcher;
  const open = async () => {
    const values = { update: { replicas }, rebootLock: { replicas } };
    stack = await startStack({ machines, firstVersion: '1.0.0', times: TIMES, values, operatorsAmong: true });
    // The machine that operators are usually put on takes no part.
    await stack.kubectl(['cordon', 'control-1']).catch(() => undefined);
    watcher = new Watcher(stack);
    await stack.publishAndDeclare('1.0.0');
    await stack.applyGroup((group) => {
      group.spec.reboot = { ...group.spec.reboot, maxUnavailable: 1, minReadySeconds: 1 };
    });
    await until('all operators run', async () => (await operators()).length === 2 * replicas, {
      timeoutMs: PATIENCE_MS,
    });
    await done('1.0.0');
    return { stack, watcher };
  };
  const operators = async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
    const { items } = await stack.client.list<Pod>(path);
    return items.filter(({ spec, status }) => spec?.nodeName !== undefined && status?.phase === 'Running');
  };
  const done = (version: string) =>
    until(
      `every machine runs ${version} and serves`,
      async () => {
        const { items } = await stack.client.list<NodeState>(resourcePath('NodeState'));
        const lock = await stack.client.get<RebootLock>(resourcePath('RebootLock', 'workers'));
        const arrived = items.filter(
          ({ status }) => status?.os?.version === version && status.update?.phase !== 'Verifying',
        );
        const cordoned = await stack.kubectl(['get', 'nodes', '-l', 'example.com/pool', '-o', 'wide']);
        return (
          arrived.length === machines &&
          lock.status?.holders?.length === 0 &&
          !cordoned.includes('SchedulingDisabled')
        );
      },
      { timeoutMs: PATIENCE_MS, everyMs: 200 },
    );
  after(async () => {
    await watcher?.stop();
    await stack?.stop();
  });
  /** All of them on the first machine, as after the other one was away. */
  const gather = async () => {
    await stack.kubectl(['cordon', 'machine-2']);
    for (const { metadata } of (await operators()).filter((pod) => !isHere(pod)))
      await stack.kubectl(['delete', 'pod', metadata.name, '--namespace', NAMESPACE]);
    await until(
      'they are together',
      async () => {
        const pods = await operators();
        return pods.length === 2 * replicas && pods.every((pod) => isHere(pod));
      },
      { timeoutMs: PATIENCE_MS },
    );
    await stack.kubectl(['uncordon', 'machine-2']);
  };
  return { open, done, gather };
}

function isHere({ spec }: Pod): boolean {
  return spec?.nodeName === 'machine-1';
}

suite('three machines that carry the operators themselves', () => {
  const { open, done } = scene({ machines: 3 });

  test('the leader’s own node goes last, the leader hands over within seconds, and no lease has to expire', async (t) => {
    const { stack, watcher } = await open();
    await stack.publishAndDeclare('2.0.0');
    await done('2.0.0');
    t.diagnostic(JSON.stringify({ handovers: watcher.handovers, places: watcher.places }));
    assert.equal(watcher.places.length, 3, 'each node took its place once, whoever led');
    for (const { node, own, others } of watcher.places) {
      if (own) assert.equal(others, 0, `${node}, the leader's own, went before ${others} others`);
    }
    assert.deepEqual(watcher.expired, []);
    for (const { lease, ms } of watcher.handovers)
      assert.ok(ms < HANDOVER_MS, `${lease} was free for ${ms} ms`);
    assert.ok(watcher.handovers.some(({ lease }) => lease === 'careen-reboot-lock'));
  });
});

suite('two machines, with all replicas on the same one', () => {
  const { open, done, gather } = scene({ machines: 2 });

  test('the other machine goes first, then the replicas leave one by one, the leader last', async (t) => {
    const { stack, watcher } = await open();
    await gather();
    await stack.publishAndDeclare('2.0.0');
    await done('2.0.0');
    t.diagnostic(JSON.stringify({ handovers: watcher.handovers, places: watcher.places }));
    assert.equal(watcher.places.length, 2);
    for (const { own, others } of watcher.places) if (own) assert.equal(others, 0);
    assert.deepEqual(watcher.expired, []);
    for (const { lease, ms } of watcher.handovers)
      assert.ok(ms < HANDOVER_MS, `${lease} was free for ${ms} ms`);
  });
});

suite('one machine alone, with two replicas of everything and budgets that keep one', () => {
  const { open, done } = scene({ machines: 1 });

  test('it reboots although the operator cannot run anywhere else', async (t) => {
    const { stack, watcher } = await open();
    await stack.publishAndDeclare('2.0.0');
    await done('2.0.0');
    t.diagnostic(JSON.stringify({ handovers: watcher.handovers, places: watcher.places }));
    assert.equal(watcher.places.length, 1);
  });
});

suite('one machine alone, with one replica', () => {
  const { open, done } = scene({ machines: 1, replicas: 1 });

  test('it reboots at once although the operator cannot run anywhere else', async (t) => {
    const { stack, watcher } = await open();
    await stack.publishAndDeclare('2.0.0');
    await done('2.0.0');
    t.diagnostic(JSON.stringify({ handovers: watcher.handovers, places: watcher.places }));
    assert.equal(watcher.places.length, 1);
  });
});
