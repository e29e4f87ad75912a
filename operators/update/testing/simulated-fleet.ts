import type { NodeGroupSpec } from '#api/node-group.ts';
import type { NodeStateStatus, UpdateStatus } from '#api/node-state.ts';
import type { Channel } from '../channel/read-channel.ts';
import { desiredUpdate, sameUpdate } from '../state/desired-update.ts';
import { inStages } from '../state/write-order.ts';
import type { NodeFacts, WantedUpdate } from '../rollout/facts.ts';
import type { Plan } from '../rollout/plan.ts';
import { planRollout } from '../rollout/plan.ts';

/** For tests: nodes whose agents do what the contract of NodeState says, one step at a time. */

/** What becomes of a version on a node. */
export type Fate = 'good' | 'bad-image' | 'bad-boot' | 'flaky-download';

interface Machine extends NodeFacts {
  status: NodeStateStatus;
  fates: Record<string, Fate>;
  downloadsFailed: number;
}

export interface FleetOptions {
  spec: NodeGroupSpec;
  channel: Channel;
  nodes: { name: string; running: string; labels?: Record<string, string>; fates?: Record<string, Fate> }[];
}

const BOOT = 'boot-1';

/** A group, its channel and its machines; the caller changes `spec` and `channel` as a user would. */
export class SimulatedFleet {
  readonly machines: Machine[];
  spec: NodeGroupSpec;
  channel: Channel;
  now = Date.parse('2026-01-01T00:00:00Z');
  rollout: Plan['rollout'];
  /** How often `spec.update` was written, by node. */
  readonly writes = new Map<string, number>();

  constructor({ spec, channel, nodes }: FleetOptions) {
    this.spec = structuredClone(spec);
    this.channel = channel;
    this.machines = nodes.map(({ name, running, labels = {}, fates = {} }) => ({
      name,
      labels,
      ready: true,
      cordoned: false,
      bootID: BOOT,
      wanted: {},
      status: { bootID: BOOT, os: { id: 'os', version: running }, engine: 'gpt' },
      fates,
      downloadsFailed: 0,
    }));
  }

  /** What the operator does on a reconcile: plans, writes what differs, keeps the status. */
  reconcile(settled = true): Plan {
    const plan = this.plan();
    const changes = this.machines.flatMap((node) => {
      const next = this.#desired(node, plan, settled);
      return sameUpdate(next, node.wanted) ? [] : [{ node, next }];
    });
    const { withdrawals, failures, rest } = inStages(changes);
    for (const { node, next } of [...withdrawals, ...failures, ...rest]) this.#write(node.name, next);
    this.rollout = plan.rollout;
    return plan;
  }

  plan(): Plan {
    const group = { name: 'g', update: this.spec.update };
    return planRollout({
      group,
      channel: this.channel,
      nodes: this.machines,
      previous: this.rollout,
      now: this.now,
    });
  }

  /** One machine goes one step further; false when it has nothing to do. `mayReboot`: its lock has room. */
  step(machine: Machine, mayReboot = true): boolean {
    const { wanted, status } = machine;
    const update = status.update;
    const phase = update?.phase ?? 'Idle';
    if (phase === 'Rebooting') return this.#say(machine, { ...update, phase: 'Verifying' });
    if (phase === 'Verifying') return this.#comeUp(machine, update?.version ?? '');
    const isAsked = wanted.payload !== undefined && wanted.version !== status.os?.version;
    if (!isAsked)
      return phase === 'Staging' || phase === 'Staged' ? this.#say(machine, { phase: 'Idle' }) : false;
    const { version = '', attempt = 1 } = wanted;
    const isNew = update?.version !== version || (update.attempt ?? 0) < attempt;
    if (isNew) return this.#say(machine, { phase: 'Staging', version, attempt });
    if (phase === 'Staging') return this.#stage(machine, version, attempt);
    if (phase === 'Staged' && mayReboot) return this.#say(machine, { ...update, phase: 'Rebooting' });
    return false;
  }

  #stage(machine: Machine, version: string, attempt: number): boolean {
    const fate = machine.fates[version] ?? 'good';
    const fails = fate === 'bad-image' || (fate === 'flaky-download' && machine.downloadsFailed < 2);
    if (!fails) return this.#say(machine, { phase: 'Staged', version, attempt });
    machine.downloadsFailed += 1;
    const { status } = machine;
    const error = { code: 'ChunkCorrupt' as const, message: 'a piece of the image differs' };
    const finishedAt = new Date(this.now).toISOString();
    status.history = [{ version, result: 'Failed', error, finishedAt }, ...(status.history ?? [])];
    return this.#say(machine, { phase: 'Failed', version, attempt, error });
  }

  #comeUp(machine: Machine, version: string): boolean {
    const { status } = machine;
    const attempt = status.update?.attempt ?? 1;
    const since = new Date(this.now).toISOString();
    if (machine.fates[version] !== 'bad-boot') {
      status.os = { id: 'os', version };
      return this.#say(machine, { phase: 'Succeeded', version, attempt });
    }
    const others = (status.quarantine ?? []).filter((entry) => entry.version !== version);
    status.quarantine = [...others, { version, reason: 'HealthDeadline', attempt, since }];
    status.history = [{ version, result: 'RolledBack', finishedAt: since }, ...(status.history ?? [])];
    return this.#say(machine, { phase: 'RolledBack', version, attempt });
  }

  #say(machine: Machine, update: Omit<UpdateStatus, 'since'> | Record<string, unknown>): boolean {
    const since = new Date(this.now).toISOString();
    machine.status = { ...machine.status, update: { ...(update as UpdateStatus), since } };
    return true;
  }

  #desired(node: NodeFacts, plan: Plan, settled: boolean): WantedUpdate {
    const assignment = plan.assignments.get(node.name);
    if (assignment === undefined) throw new Error(`the plan says nothing of ${node.name}`);
    const context = {
      group: 'g',
      policy: this.spec,
      channel: this.channel,
      running: node.status?.os?.version,
      settled,
      now: new Date(this.now).toISOString(),
    };
    return desiredUpdate(node.wanted, assignment, context);
  }

  #write(name: string, next: WantedUpdate): void {
    const machine = this.machines.find((one) => one.name === name);
    if (machine !== undefined) machine.wanted = next;
    this.writes.set(name, (this.writes.get(name) ?? 0) + 1);
  }
}
