import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, it } from 'node:test';
import type { KubeObject } from '#api/meta.ts';
import { type Cluster, startCluster } from '#test/cluster/cluster.ts';
import { type FaultProxy, startFaultProxy } from '#test/cluster/faults/proxy.ts';
import { until } from '#test/cluster/until.ts';
import { KubeClient } from '../client/client.ts';
import { isKubeError } from '../client/error.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
interface Event extends KubeObject {
  reason: string;
  note: string;
  regarding: { name: string };
  reportingController: string;
}

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/default/leases/careen-double';
const MAPS = '/api/v1/namespaces/default/configmaps';

/** The operator of operator.fixture.ts as a process of its own. */
class Running {
  readonly process: ChildProcess;
  readonly lines: { message: string; port?: number }[] = [];
  readonly #closed: Promise<unknown>;
  text = '';

  constructor(...flags: string[]) {
    const script = path.join(import.meta.dirname, 'operator.fixture.ts');
    this.process = spawn(process.execPath, [script, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.process, 'close');
    this.process.stdout?.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    createInterface({ input: this.process.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      this.text += `${line}\n`;
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as { message: string });
    });
  }

  said(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }

  async get(url: string): Promise<[number, string]> {
    const port = this.lines.find((line) => line.port !== undefined)?.port;
    const response = await fetch(`http://127.0.0.1:${port}${url}`);
    return [response.status, await response.text()];
  }

  /** Resolves with the exit status, when everything that it said is here. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.process.exitCode;
  }
}

describe('an operator on a real API server', () => {
  let cluster: Cluster;
  let proxy: FaultProxy;
  let direct: KubeClient;
  let flags: string[];
  const running: Running[] = [];
  let number = 0;

  before(async () => {
    cluster = await startCluster();
    proxy = await startFaultProxy(cluster);
    direct = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'direct' });
    const kubeconfig = await proxy.kubeconfig(cluster.kubeconfig);
    // However slow the machine, the lease is not lost by itself.
    const times = ['--lease-duration', '10m', '--renew-deadline', '9m', '--retry-period', '300ms'];
    flags = ['--kubeconfig', kubeconfig, '--namespace', 'default', '--address', '127.0.0.1:0', ...times];
  });
  afterEach(async () => {
    proxy.clear();
    for (const operator of running.splice(0)) {
      operator.process.kill('SIGKILL');
      await operator.ended();
    }
    await direct.delete(LEASE).catch(() => undefined);
  });
  after(async () => {
    await direct?.close();
    await proxy?.close();
    await cluster?.stop();
  });

  function start(...more: string[]): Running {
    const operator = new Running(...flags, ...more);
    running.push(operator);
    return operator;
  }

  async function put(value: number): Promise<string> {
    const name = `double-${(number += 1)}`;
    await direct.create(MAPS, {
      metadata: { name, labels: { double: 'yes' } },
      data: { value: String(value) },
    });
    return name;
  }

  function doubled(name: string, twice: string): Promise<void> {
    return until(`${name} is doubled`, async () => {
      return (await direct.get<ConfigMap>(`${MAPS}/${name}`)).data?.['twice'] === twice;
    });
  }

  it('works, tells by event, metrics and health, and ends cleanly', async () => {
    const name = await put(21);
    const operator = start();
    await doubled(name, '42');
    const find = async (): Promise<Event | undefined> => {
      const { items } = await direct.list<Event>('/apis/events.k8s.io/v1/namespaces/default/events');
      return items.find(({ regarding }) => regarding.name === name);
    };
    await until('there is an event', async () => (await find()) !== undefined);
    const event = await find();
    assert.deepEqual([event?.reason, event?.note], ['Doubled', 'twice is 42']);
    assert.deepEqual(await operator.get('/healthz'), [200, 'ok\n']);
    assert.deepEqual(await operator.get('/readyz'), [200, 'ok\n']);
    const [, metrics] = await operator.get('/metrics');
    assert.match(metrics, /controller_runtime_reconcile_total\{controller="double",result="success"\} \d/);
    assert.match(metrics, /leader_election_master_status\{name="careen-double"\} 1/);
    assert.match(metrics, /rest_client_requests_total\{code="200",method="PATCH"\} 1/);
    operator.process.kill('SIGTERM');
    assert.equal(await operator.ended(), 0, operator.text);
    assert.ok(operator.said('gave up the lease'));
  });

  it('has its Lease deleted with the account that it acts as', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await direct.create(accounts, { metadata: { name: 'careen-double' } });
    await direct.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'careen-double' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: 'careen-double', namespace: 'default' }],
    });
    const { status } = await direct.create<{ status: { token: string } }>(`${accounts}/careen-double/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    });
    const kubeconfig = await cluster.writeKubeconfig({ name: 'careen-double', token: status.token });
    const operator = start('--kubeconfig', kubeconfig);
    await doubled(await put(4), '8');
    operator.process.kill('SIGTERM');
    assert.equal(await operator.ended(), 0, operator.text);
    await direct.get(LEASE);
    await direct.delete(`${accounts}/careen-double`);
    await until('the Lease is gone', async () => {
      const found = await direct.get(LEASE).catch((error: unknown) => error);
      return isKubeError(found, 'NotFound');
    });
  });

  it('works on through faults', async () => {
    const operator = start();
    await doubled(await put(1), '2');
    proxy.fault({
      kind: 'status',
      status: 409,
      match: { write: true, userAgent: 'careen-double' },
      times: 2,
    });
    await doubled(await put(2), '4');
    proxy.fault({ kind: 'drop-after', match: { method: 'PATCH' }, times: 2 });
    await doubled(await put(3), '6');
    proxy.fault({ kind: 'status', status: 500, probability: 0.3 });
    proxy.fault({ kind: 'drop-before', probability: 0.1 });
    for (let value = 10; value < 20; value += 1) await doubled(await put(value), String(2 * value));
    proxy.clear();
    await cluster.restartApiServer();
    await doubled(await put(30), '60');
    assert.equal(operator.process.exitCode, null, operator.text);
  });

  it('ends with status 1 when it loses its lease, and another one goes on', async () => {
    const short = ['--lease-duration', '12s', '--renew-deadline', '10s'];
    const first = start('--identity', 'first', ...short);
    await until('the first one leads', () => first.said('elected leader'));
    const second = start('--identity', 'second', ...short);
    await until('the second one is ready', () => second.said('listening'));
    const cut = proxy.fault({ kind: 'status', status: 403, match: { userAgent: 'careen-double/election' } });
    assert.equal(await first.ended(), 1, first.text);
    cut.remove();
    await until('the second one leads', () => second.said('elected leader'));
    await doubled(await put(5), '10');
  });

  it('writes nothing while it is idle but its lease', async () => {
    const events = () => proxy.count({ method: 'POST', path: /events/ });
    const before = events();
    start();
    await doubled(await put(7), '14');
    await until('the event is sent', () => events() > before);
    await renewed(2); // what is under way is counted by then
    const writes = proxy.count({ write: true, userAgent: 'careen-double' });
    await renewed(10);
    assert.equal(proxy.count({ write: true, userAgent: 'careen-double' }), writes);
  });

  function renewals(): number {
    return proxy.count({ method: 'PUT', userAgent: 'careen-double/election' });
  }

  async function renewed(times: number): Promise<void> {
    const before = renewals();
    await until(`${times} renewals`, () => renewals() > before + times);
  }

  it('refuses wrong flags with status 2, and helps with status 0', async () => {
    const wrong = start('--colour', 'blue');
    assert.equal(await wrong.ended(), 2);
    assert.match(wrong.text, /careen-double: .*--colour/);
    const help = start('--help');
    assert.equal(await help.ended(), 0);
    assert.match(help.text, /--lease-duration TIME/);
  });
});
