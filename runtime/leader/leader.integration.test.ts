import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, it } from 'node:test';
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
const LEASE_MS = 3000;

/** A candidate as a child process; see leader.fixture.ts. */
class Candidate {
  readonly said: { what: string; at: number }[] = [];
  readonly process: ChildProcess;

  constructor(kubeconfig: string, identity: string) {
    const script = path.join(import.meta.dirname, 'leader.fixture.ts');
    this.process = spawn(process.execPath, [script, kubeconfig, identity], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    lines.on('line', (what) => this.said.push({ what, at: performance.now() }));
  }

  when(what: string): number | undefined {
    return this.said.find((each) => each.what === what)?.at;
  }

  says(what: string, timeoutMs = 15_000): Promise<void> {
    return until(`the candidate says "${what}"`, () => this.when(what) !== undefined, { timeoutMs });
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
  /** Who wrote last, at every change. */
  const writers: string[] = [];
  const watching = new AbortController();

  before(async () => {
    cluster = await startCluster();
    proxy = await startFaultProxy(cluster);
    kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
    direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'direct' });
    await direct.create(MAPS, { metadata: { name: 'leader' } });
    void record();
  });
  afterEach(async () => {
    proxy.clear();
    await Promise.all(candidates.splice(0).map((candidate) => candidate.end()));
    await direct.delete(`${LEASES}/test`).catch(() => undefined);
    writers.length = 0;
  });
  after(async () => {
    watching.abort();
    await direct?.close();
    await proxy?.close();
    await cluster?.stop();
  });

  /** Watches every single write of the leaders, in the order in which etcd has them. */
  async function record(): Promise<void> {
    const query = { fieldSelector: 'metadata.name=leader' };
    try {
      for await (const { object } of direct.watch<Mark>(MAPS, query, { signal: watching.signal })) {
        if (object.data?.leader) writers.push(object.data.leader);
      }
    } catch {
      // The end of the test.
    }
  }

  function candidate(identity: string): Candidate {
    const started = new Candidate(kubeconfig, identity);
    candidates.push(started);
    return started;
  }

  async function pair(): Promise<[Candidate, Candidate]> {
    const first = candidate('a');
    await first.says('leads');
    await until('the first one writes', () => writers.includes('a'));
    const second = candidate('b');
    await until('the second one looks at the lease', () => proxy.count({ userAgent: 'election-b' }) > 0);
    return [first, second];
  }

  /** After the first write of the second leader there is none of the first any more. */
  function assertOneAfterTheOther(): void {
    const handover = writers.indexOf('b');
    assert.ok(handover > 0, 'the second one wrote');
    assert.ok(!writers.slice(handover).includes('a'), 'the first one wrote after the second');
  }

  it('hands over at once when the leader ends cleanly', async () => {
    const [first, second] = await pair();
    const asked = performance.now();
    first.process.kill('SIGTERM');
    await second.says('leads');
    assert.ok(
      (second.when('leads') ?? 0) - asked < 1500,
      'the second one did not wait for the lease to expire',
    );
    await first.says('ended');
    await until('the second one writes', () => writers.includes('b'));
    assertOneAfterTheOther();
    const { spec } = await direct.get<Lease>(`${LEASES}/test`);
    assert.match(spec?.holderIdentity ?? '', /^b_/);
    assert.match(spec?.renewTime ?? '', /\.\d{6}Z$/);
  });

  it('hands over within the lease when the leader is killed', async () => {
    const [first, second] = await pair();
    const killed = performance.now();
    first.process.kill('SIGKILL');
    await second.says('leads');
    assert.ok((second.when('leads') ?? 0) - killed < LEASE_MS + 1500);
  });

  it('stops a leader that is cut off before the other one starts', async () => {
    const [first, second] = await pair();
    proxy.fault({ kind: 'hang', match: { userAgent: 'election-a' } });
    await second.says('leads');
    const stopped = first.when('stopped acting');
    assert.ok(stopped !== undefined && stopped < (second.when('leads') ?? 0));
    await until('the second one writes', () => writers.includes('b'));
    await first.says('NotLeadingError');
    assertOneAfterTheOther();
  });

  it('never lets a leader that was stopped for a while write after the other one has begun', async () => {
    const [first, second] = await pair();
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
    const only = candidate('a');
    await only.says('leads', 2500);
    assert.equal(lost.hits, 1);
  });

  it('goes on leading through lost replies, errors and conflicts of its renewals', async () => {
    const [first, second] = await pair();
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
    const [, second] = await pair();
    const renewals = proxy.count({ method: 'PUT', userAgent: 'election-a' });
    await until(
      'five renewals',
      () => proxy.count({ method: 'PUT', userAgent: 'election-a' }) > renewals + 12,
    );
    assert.equal(second.when('leads'), undefined);
  });

  it('ends when its work ends, fails with what its work failed with, and gives the lease up either way', async () => {
    const options = {
      client: direct,
      namespace: 'default',
      name: 'test',
      identity: 'c',
      leaseDurationMs: LEASE_MS,
      renewDeadlineMs: 2000,
      retryPeriodMs: 300,
      log: createLogger({ name: 'c', level: 'error' }),
    };
    await lead({ ...options, onElected: async () => undefined });
    const failing = lead({ ...options, onElected: () => Promise.reject(new Error('a bug')) });
    await assert.rejects(failing, /a bug/);
    assert.equal((await direct.get<Lease>(`${LEASES}/test`)).spec?.holderIdentity, '');
    await assert.rejects(
      lead({ ...options, renewDeadlineMs: 5000, onElected: async () => undefined }),
      RangeError,
    );
  });
});
