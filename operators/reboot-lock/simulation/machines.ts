import { answersRequest } from '#agent/config/life/grant.ts';
import type { ConfigPhase } from '#api/config-errors.ts';
import type { Grant, NodeStateStatus, Phase } from '#api/node-state.ts';
import type { World } from './world.ts';

type Asks = NonNullable<NodeStateStatus['reboot']>;

/** The agent and kubelet of every node, one small step at a time. */
export class Machines {
  readonly #world: World;
  /** The version of its NodeState that an agent read before it accepts a grant. */
  readonly #read = new Map<string, { resourceVersion: string; id: string }>();
  /** Ids of grants whose reboot failed; they are not accepted again. */
  readonly #spent = new Set<string>();
  /** Grants that were accepted, with the time and expiry at acceptance. */
  readonly accepted: { node: string; at: number; notAfter: number }[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  request(name: string): void {
    if (this.configuring(name)) return;
    const drains = this.#world.states.get(name)?.status?.reboot?.kind === 'Drain';
    this.#phase(name, 'Staged', true, undefined, drains ? this.#world.iso() : undefined);
  }

  /** A change of the configuration waits for a drain. */
  requestDrain(name: string): void {
    if (!['Idle', 'Succeeded'].includes(this.phaseOf(name)) || this.#drains(name)) return;
    this.#reboot(name, { requested: true, kind: 'Drain', since: this.#world.iso() });
  }

  /** The agent has accepted a drain and changes the configuration, or waits for its confirmation. */
  configuring(name: string): boolean {
    return ['Applying', 'Confirming'].includes(this.#world.states.get(name)?.status?.config?.phase ?? '');
  }

  isAtRest(name: string): boolean {
    return ['Idle', 'Succeeded'].includes(this.phaseOf(name)) && !this.configuring(name);
  }

  withdraw(name: string): void {
    if (this.#drains(name) && !this.configuring(name)) this.#reboot(name, { requested: false });
    if (this.phaseOf(name) === 'Staged') this.#phase(name, 'Idle', false);
  }

  /** The host refuses to reboot, or does not in time: the agent asks anew. */
  failReboot(name: string): void {
    const node = this.#world.nodes.get(name);
    const up = node?.status?.nodeInfo?.bootID === this.#world.states.get(name)?.status?.bootID;
    if (this.phaseOf(name) !== 'Rebooting' || !up || !this.#world.isReady(name)) return;
    this.#spent.add(this.#world.states.get(name)?.spec.reboot?.grant?.id ?? '');
    this.#phase(name, 'Staged', true, undefined, this.#world.iso());
  }

  phaseOf(name: string): Phase {
    return this.#world.states.get(name)?.status?.update?.phase ?? 'Idle';
  }

  /** The node's next step on its way, if it has one. `fails`: the version does not pass its gate. */
  step(name: string, fails: boolean): void {
    const phase = this.phaseOf(name);
    if (this.#drains(name)) this.#configure(name);
    else if (phase === 'Staged') this.#accept(name);
    else if (phase === 'Rebooting') this.#boot(name);
    else if (phase === 'Verifying') this.#phase(name, fails ? 'RolledBack' : 'Succeeded', false);
    else if (phase === 'RolledBack') this.#judge(name);
  }

  #drains(name: string): boolean {
    const { requested, kind } = this.#world.states.get(name)?.status?.reboot ?? {};
    return requested === true && kind === 'Drain';
  }

  /** Accepted, changed, confirmed; a kubelet that is restarted for it is away meanwhile. */
  #configure(name: string): void {
    const phase = this.#world.states.get(name)?.status?.config?.phase;
    if (phase === 'Applying') {
      this.#world.ready(name, false);
      this.#config(name, 'Confirming');
    } else if (phase !== 'Confirming') {
      const accepted = this.#taken(name, 'drain');
      if (accepted === undefined) return;
      this.#reboot(name, { accepted });
      this.#config(name, 'Applying');
    } else if (this.#world.isReady(name)) {
      this.#config(name, 'Applied');
      this.#reboot(name, { requested: false });
    } else {
      this.#world.ready(name, true);
    }
  }

  #reboot(name: string, change: Partial<Asks>): void {
    this.#world.editState(name, (state) => {
      const before = state.status?.reboot ?? { requested: false, reasons: [], since: this.#world.iso() };
      state.status = { ...state.status, reboot: { ...before, ...change } };
    });
  }

  #config(name: string, phase: ConfigPhase): void {
    this.#world.editState(name, (state) => {
      state.status = { ...state.status, config: { phase, since: this.#world.iso() } };
    });
  }

  #accept(name: string): void {
    if (this.#taken(name, 'reboot') !== undefined) this.#phase(name, 'Rebooting', true);
  }

  /** Reads, then writes with the version that was read as precondition: the point of no return. */
  #taken(name: string, mode: Grant['mode']): string | undefined {
    const state = this.#world.states.get(name);
    const node = this.#world.nodes.get(name);
    const grant = state?.spec.reboot?.grant;
    const before = this.#read.get(name);
    this.#read.delete(name);
    const notAfter = Date.parse(grant?.notAfter ?? '');
    const valid =
      grant?.nodeUID === node?.metadata.uid &&
      grant?.mode === mode &&
      (mode === 'reboot' || answersRequest(grant, state?.status?.reboot?.since ?? '')) &&
      grant?.bootID === node?.status?.nodeInfo?.bootID &&
      !this.#spent.has(grant?.id ?? '') &&
      this.#world.now <= notAfter;
    if (grant === undefined || !valid) return undefined;
    const resourceVersion = state?.metadata.resourceVersion ?? '';
    if (before?.resourceVersion !== resourceVersion) {
      this.#read.set(name, { resourceVersion, id: grant.id });
      return undefined;
    }
    this.accepted.push({ node: name, at: this.#world.now, notAfter });
    return grant.id;
  }

  /** Down first, up with another boot ID next, Ready and reported last. */
  #boot(name: string): void {
    const world = this.#world;
    const running = world.nodes.get(name)?.status?.nodeInfo?.bootID ?? '';
    const reported = world.states.get(name)?.status?.bootID;
    if (running === reported && world.isReady(name)) {
      world.ready(name, false);
    } else if (running === reported) {
      const [, count] = /-(\d+)$/.exec(running) ?? [];
      world.editNode(name, (node) => {
        node.status = { ...node.status, nodeInfo: { bootID: `${name}-${Number(count) + 1}` } };
      });
    } else if (!world.isReady(name)) {
      world.ready(name, true);
    } else {
      this.#phase(name, 'Verifying', false, running);
    }
  }

  /** operators/update takes note of the failure and offers another version. */
  #judge(name: string): void {
    this.#world.editState(name, (state) => {
      state.spec = { ...state.spec, update: { version: '2.0.1', attempt: 1 } };
    });
    this.#phase(name, 'Succeeded', false);
  }

  #phase(name: string, phase: Phase, requested: boolean, bootID?: string, since?: string): void {
    const at = this.#world.iso();
    this.#world.editState(name, (state) => {
      state.status = {
        ...state.status,
        ...(bootID === undefined ? {} : { bootID }),
        update: { phase, version: '2.0.0', attempt: 1, since: at },
        reboot: {
          requested,
          reasons: ['update to 2.0.0'],
          since: since ?? state.status?.reboot?.since ?? at,
        },
      };
    });
  }
}
