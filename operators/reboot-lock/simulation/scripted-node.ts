import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { Phase } from '#api/node-state.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { Informer } from '#runtime/informer/informer.ts';

/**
 * Nodes on a real API server whose kubelets and agents are scripted: they heartbeat, end pods that are deleted,
 * accept grants as the agent does, go down for a moment and come back with another boot ID.
 */
export class ScriptedNodes {
  readonly #client: KubeClient;
  readonly #states: Informer<NodeState>;
  readonly #names: string[] = [];
  /** Boot IDs, by node. */
  readonly #running = new Map<string, string>();
  readonly #busy = new Set<string>();
  /** Nodes of which something changed while their agent was at work. */
  readonly #missed = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #boots = 0;
  /** How long a machine is down, in milliseconds. */
  downMs = 300;
  /** While set, a machine that goes down stays down until it resolves. */
  stayDown: Promise<void> | undefined;
  /** Nodes whose agents accept no grant; `hear` ends it. */
  readonly deaf = new Set<string>();
  readonly reboots: string[] = [];
  /** When a machine last came back, right before anybody could know, by `performance.now()`. */
  readonly backAt = new Map<string, number>();
  readonly failures: unknown[] = [];

  constructor(client: KubeClient) {
    this.#client = client;
    this.#states = new Informer<NodeState>({
      client,
      path: resourcePath('NodeState'),
      onChange: (name) => this.#look(name),
    });
    this.#states.start();
    this.#timer = setInterval(() => this.#background(this.#beat()), 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#states.stop();
  }

  async join(name: string, labels: Record<string, string> = {}): Promise<void> {
    const node = await this.#client.create<Node>('/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels },
    });
    const uid = node.metadata.uid ?? '';
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name, uid }];
    const metadata = { name, ownerReferences };
    await this.#client.create(resourcePath('NodeState'), {
      apiVersion: API_VERSION,
      kind: 'NodeState',
      metadata,
      spec: {},
    });
    this.#names.push(name);
    await this.#lease(name);
    const bootID = this.#newBoot();
    await this.#kubelet(name, 'True', bootID);
    await this.report(name, 'Idle', false, { bootID });
  }

  /** The agent's status, as a merge patch. */
  async report(name: string, phase: Phase, requested: boolean, more: object = {}, resourceVersion?: string) {
    const since = new Date().toISOString();
    const status = {
      update: { phase, since, version: '2.0.0', attempt: 1 },
      reboot: { requested, reasons: requested ? ['update to 2.0.0'] : [], since },
      ...more,
    };
    const metadata = resourceVersion === undefined ? {} : { resourceVersion };
    await this.#client.mergePatch(`${resourcePath('NodeState', name)}/status`, { metadata, status });
  }

  request(name: string): Promise<void> {
    return this.report(name, 'Staged', true);
  }

  /** No agent is deaf any more; what came meanwhile is looked at now. */
  hear(): void {
    const before = [...this.deaf];
    this.deaf.clear();
    for (const name of before) this.#look(name);
  }

  #look(name: string): void {
    if (this.deaf.has(name)) return;
    if (this.#busy.has(name)) {
      this.#missed.add(name);
      return;
    }
    this.#busy.add(name);
    this.#background(this.#accept(name).finally(() => this.#rest(name)));
  }

  /** What it read may be older than a change that was heard of meanwhile. */
  #rest(name: string): void {
    this.#busy.delete(name);
    if (this.#missed.delete(name)) this.#look(name);
  }

  async #accept(name: string): Promise<void> {
    const { metadata, spec, status } = await this.#client.get<NodeState>(resourcePath('NodeState', name));
    const grant = spec.reboot?.grant;
    const open =
      grant !== undefined && grant.bootID === status?.bootID && Date.now() <= Date.parse(grant.notAfter);
    if (!open || status?.update?.phase !== 'Staged') return;
    try {
      await this.report(name, 'Rebooting', true, {}, metadata.resourceVersion);
    } catch (error) {
      if (isKubeError(error, 'Conflict')) return;
      throw error;
    }
    await this.#reboot(name);
  }

  async #reboot(name: string): Promise<void> {
    this.reboots.push(name);
    await this.#kubelet(name, 'False');
    await (this.stayDown ?? new Promise((resolve) => setTimeout(resolve, this.downMs)));
    const bootID = this.#newBoot();
    this.backAt.set(name, performance.now());
    await this.#kubelet(name, 'True', bootID);
    await this.report(name, 'Succeeded', false, { bootID });
  }

  /** `False` is a machine that is down; a real kubelet's silence takes the controller 50 s to notice. */
  async #kubelet(name: string, ready: 'True' | 'False', bootID?: string): Promise<void> {
    const now = new Date().toISOString();
    const condition = {
      type: 'Ready',
      status: ready,
      reason: 'Scripted',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    if (bootID !== undefined) this.#running.set(name, bootID);
    const nodeInfo = { bootID: this.#running.get(name) };
    const body = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: { conditions: [condition], nodeInfo },
    };
    // As a kubelet's strategic merge does, this leaves the conditions of others alone.
    await this.#client.apply(`/api/v1/nodes/${name}/status`, body, { fieldManager: 'kubelet', force: true });
  }

  ready(name: string, ready: boolean): Promise<void> {
    return this.#kubelet(name, ready ? 'True' : 'False');
  }

  #newBoot(): string {
    this.#boots += 1;
    return `boot-${this.#boots}`;
  }

  async #beat(): Promise<void> {
    for (const name of this.#names) await this.#lease(name);
    const { items } = await this.#client.list<{
      metadata: { name: string; namespace: string; deletionTimestamp?: string };
    }>('/api/v1/pods');
    for (const { metadata } of items) {
      if (metadata.deletionTimestamp === undefined) continue;
      await this.#client.delete(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, {
        gracePeriodSeconds: 0,
      });
    }
  }

  async #lease(name: string): Promise<void> {
    const metadata = { name, namespace: 'kube-node-lease' };
    const spec = {
      holderIdentity: name,
      leaseDurationSeconds: 40,
      renewTime: new Date().toISOString().replace('Z', '000Z'),
    };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
    await this.#client.apply(path, body, { fieldManager: 'kubelet', force: true });
  }

  #background(task: Promise<void>): void {
    task.catch((error: unknown) => {
      if (!isKubeError(error, 'NotFound')) this.failures.push(error);
    });
  }
}
