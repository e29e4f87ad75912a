import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from '#test/cluster/faults/proxy.ts';
import { until } from '#test/cluster/until.ts';
import { KubeClient } from '../client/client.ts';
import { createLogger } from '../log/log.ts';
import { lead } from './leader.ts';
import type { Lease } from './lease.ts';

interface Mark extends KubeObject {
  data?: { leader?: string; at?: string };
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const MAPS = '/api/v1/namespaces/default/configmaps';

interface Times {
  leaseMs: number;
  renewDeadlineMs: number;
}
/** Where a test waits for the lease to run out. */
const SHORT: Times = { leaseMs: 8000, renewDeadlineMs: 7000 };
/** Where it must not run out, however slow the machine: longer than anything is waited for. */
const LONG: Times = { leaseMs: 600_000, renewDeadlineMs: 500_000 };

/** A candidate as a child process; see leader.fixture.ts. */
class Candidate {
  /** When it said what, by the clock that all processes share. */
  readonly said: { what: string; at: number }[] = [];
  readonly process: ChildProcess;

  constructor(kubeconfig: string, name: string, identity: string, { leaseMs, renewDeadlineMs }: Times) {
    const script = path.join(import.meta.dirname, 'leader.fixture.ts');
    const args = [script, kubeconfig, name, identity, String(leaseMs), String(renewDeadlineMs)];
    this.process = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      const [at = '', ...words] = line.split(' ');
      this.said.push({ what: words.join(' '), at: Number(at) });
    });
  }

  when(what: string): number | undefined {
    return this.said.find((each) => each.what === what)?.at;
  }

  says(what: string): Promise<void> {
    return until(`the candidate says "${what}"`, () => this.when(what) !== undefined);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await ended;
  }
}

describe('leader election on a real API server', () => {
  let cluster: Cluster;
  let proxy: FaultProxy;
  let direct: KubeClient;
  let kubeconfig: string;
  const candidates: Candidate[] = [];
  /** Of the Lease, and of the ConfigMap that the leader writes: what was on its way when a test ended harms no other. */
  let name: string;
  let number = 0;
  /** Who wrote last, at every change. */
  let writers: string[];
  let watching: AbortController;

  before(async () => {
    cluster = await startCluster();
    proxy = await startFaultProxy(cluster);
    kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
    direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'direct' });
  });
  beforeEach(async () => {
    name = `test-${(number += 1)}`;
    writers = [];
    watching = new AbortController();
    await direct.create(MAPS, { metadata: { name } });
    void record(writers, watching.signal);
  });
  afterEach(async () => {
    proxy.clear();
    await Promise.all(candidates.splice(0).map((candidate) => candidate.end()));
    watching.abort();
  });
  after(async () => {
    await direct?.close();
    await proxy?.close();
    await cluster?.stop();
  });

  /** Watches every single write of the leaders, in the order in which etcd has them. */
  async function record(into: string[], signal: AbortSignal): Promise<void> {
    const query = { fieldSelector: `metadata.name=${name}` };
    try {
      for await (const { object } of direct.watch<Mark>(MAPS, query, { signal })) {
        if (object.data?.leader) into.push(object.data.leader);
      }
    } catch {
      // The end of the test.
    }
  }

  function candidate(identity: string, times: Times): Candidate {
    const started = new Candidate(kubeconfig, name, identity, times);
    candidates.push(started);
    return started;
  }

  async function pair(times: Times): Promise<[Candidate, Candidate]> {
    const first = candidate('a', times);
    await first.says('leads');
    await until('the first one writes', () => writers.includes('a'));
    const looks = proxy.count({ userAgent: 'election-b' });
    const second = candidate('b', times);
    await until('the second one looks at the lease', () => proxy.count({ userAgent: 'election-b' }) > looks);
    return [first, second];
  }

  /** After the first write of the second leader there is none of the first any more. */
  function assertOneAfterTheOther(): void {
    const handover = writers.indexOf('b');
    assert.ok(handover > 0, 'the second one wrote');
    assert.ok(!writers.slice(handover).includes('a'), 'the first one wrote after the second');
  }

  it('hands over at once when the leader ends cleanly', async () => {
    const [first, second] = await pair(LONG);
    first.process.kill('SIGTERM');
    await second.says('leads'); // within half a lease: it did not wait for the end of it
    await first.says('ended');
    await until('the second one writes', () => writers.includes('b'));
    assertOneAfterTheOther();
    const { spec } = await direct.get<Lease>(`${LEASES}/${name}`);
    assert.match(spec?.holderIdentity ?? '', /^b_/);
    assert.match(spec?.renewTime ?? '', /\.\d{6}Z$/);
  });

  it('hands over when the leader is killed and its lease has run out', async () => {
    const [first, second] = await pair(SHORT);
    first.process.kill('SIGKILL');
    await second.says('leads');
  });

  it('stops a leader that is cut off before the other one starts', async () => {
    // Between the end of the one and the beginning of the other lies what a slow machine may take to say so.
    const [first, second] = await pair({ leaseMs: 12_000, renewDeadlineMs: 5000 });
    proxy.fault({ kind: 'hang', match: { userAgent: 'election-a' } });
    await second.says('leads');
    await first.says('stopped acting');
    assert.ok((first.when('stopped acting') ?? Infinity) < (second.when('leads') ?? 0));
    await until('the second one writes', () => writers.includes('b'));
    await first.says('NotLeadingError');
    assertOneAfterTheOther();
  });

  it('never lets a leader that was stopped for a while write after the other one has begun', async () => {
    const [first, second] = await pair(SHORT);
    // In the pause between two writes: one that is on its way cannot be held back by who sent it.
    const seen = writers.length;
    await until('it has just written', () => writers.length > seen, { everyMs: 1 });
    first.process.kill('SIGSTOP');
    await second.says('leads');
    await until('the second one writes', () => writers.includes('b'));
    first.process.kill('SIGCONT');
    await first.says('NotLeadingError');
    const written = writers.length;
    await until('the second one goes on', () => writers.length > written + 20);
    assertOneAfterTheOther();
  });

  it('knows its own lease when the reply to taking it was lost', async () => {
    const lost = proxy.fault({ kind: 'drop-after', match: { method: 'POST', path: LEASES }, times: 1 });
    const only = candidate('a', LONG);
    await only.says('leads'); // within half a lease: it did not wait for the end of it
    assert.equal(lost.hits, 1);
  });

  it('goes on leading through lost replies, errors and conflicts of its renewals', async () => {
    const [first, second] = await pair(LONG);
    const put = { method: 'PUT', userAgent: 'election-a' };
    for (const rule of [
      { kind: 'drop-after', match: put, times: 2 },
      { kind: 'status', status: 500, match: put, times: 2 },
      { kind: 'drop-before', match: put, times: 2 },
      { kind: 'hang', forMs: 500, match: put, times: 1 },
    ] as const) {
      const fault = proxy.fault(rule);
      await until(`${rule.kind} struck`, () => fault.hits === rule.times);
      const renewals = proxy.count({ method: 'PUT', userAgent: 'election-a' });
      await until(
        'it renews again',
        () => proxy.count({ method: 'PUT', userAgent: 'election-a' }) > renewals + 2,
      );
    }
    assert.equal(second.when('leads'), undefined);
    assert.equal(first.when('stopped acting'), undefined);
  });

  it('does not take a lease over whose holder renews it, whatever the clocks say', async () => {
    const [, second] = await pair({ leaseMs: 12_000, renewDeadlineMs: 11_000 });
    const began = performance.now();
    await until('more than a lease has passed', () => performance.now() - began > 15_000);
    assert.equal(second.when('leads'), undefined);
  });

  it('ends when its work ends, fails with what its work failed with, and gives the lease up either way', async () => {
    const options = {
      client: direct,
      namespace: 'default',
      name,
      identity: 'c',
      leaseDurationMs: LONG.leaseMs,
      renewDeadlineMs: LONG.renewDeadlineMs,
      retryPeriodMs: 300,
      log: createLogger({ name: 'c', level: 'error' }),
    };
    await lead({ ...options, onElected: async () => undefined });
    const failing = lead({ ...options, onElected: () => Promise.reject(new Error('a bug')) });
    await assert.rejects(failing, /a bug/);
    assert.equal((await direct.get<Lease>(`${LEASES}/${name}`)).spec?.holderIdentity, '');
    await assert.rejects(
      lead({ ...options, renewDeadlineMs: LONG.leaseMs, onElected: async () => undefined }),
      RangeError,
    );
  });
});
