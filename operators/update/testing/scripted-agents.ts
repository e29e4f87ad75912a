import type { NodeState } from '#api/kinds.ts';
import type { UpdateStatus } from '#api/node-state.ts';
import { BOOT, WatchingAgents } from '#operators/testing/watching-agents.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Log } from '#runtime/log/log.ts';

/**
 * For tests: the agents of all nodes at once. They write what real ones would, but download nothing and reboot
 * at once when `mayReboot` says so.
 */
export class ScriptedAgents {
  /** Versions that do not come up, by node; `*` is every node. */
  readonly bad = new Map<string, string>();
  /** Whether a staged node may reboot now; a test holds all back with `() => false`. */
  mayReboot: (node: string, version: string) => boolean = () => true;
  /** Order in which nodes rebooted, and into what. */
  readonly reboots: { node: string; version: string }[] = [];

  readonly #agents: WatchingAgents;

  constructor(client: KubeClient, log: Log) {
    this.#agents = new WatchingAgents({ client, log, workers: 4, act: (name) => this.#act(name) });
  }

  /** Makes a Ready Node. */
  async join(name: string, labels: Record<string, string> = {}): Promise<void> {
    await this.#agents.join(name, labels);
  }

  /** The first report of a node's agent. */
  report(name: string, version: string): Promise<void> {
    return this.#agents.report(name, { bootID: BOOT, os: { id: 'os', version }, engine: 'gpt' });
  }

  start(): void {
    this.#agents.start();
  }

  stop(): Promise<void> {
    return this.#agents.stop();
  }

  async #act(name: string): Promise<{ requeueAfterMs: number } | undefined> {
    const state = this.#agents.state(name);
    if (state?.status?.os === undefined) return undefined;
    const step = this.#step(name, state);
    if (step === 'wait') return { requeueAfterMs: 50 };
    if (step === undefined) return undefined;
    try {
      await this.#agents.report(name, step.status, state.metadata.resourceVersion);
      const { version = '' } = state.spec?.update ?? {};
      if (step.status.update.phase === 'Rebooting') this.reboots.push({ node: name, version });
    } catch (error) {
      if (!isKubeError(error, 'Conflict') && !isKubeError(error, 'NotFound')) throw error;
    }
    return { requeueAfterMs: 20 };
  }

  #step(name: string, state: NodeState): Step | 'wait' | undefined {
    const wanted = state.spec?.update;
    const update = state.status?.update;
    const { version = '', attempt = 1 } = wanted ?? {};
    if (update?.phase === 'Rebooting') return this.#comeUp(name, state, update);
    const isAsked = wanted?.payload !== undefined && version !== state.status?.os?.version;
    if (!isAsked) return update?.phase === 'Staged' ? say({ phase: 'Idle', version: null }) : undefined;
    const isNew = update?.version !== version || (update.attempt ?? 1) < attempt;
    if (isNew) return say({ phase: 'Staged', version, attempt });
    if (update.phase !== 'Staged') return undefined;
    return this.mayReboot(name, version) ? say({ phase: 'Rebooting' }) : 'wait';
  }

  #comeUp(name: string, { status }: NodeState, update: UpdateStatus): Step {
    const { version = '', attempt = 1 } = update;
    const isBad = this.bad.get(name) === version || this.bad.get('*') === version;
    if (!isBad) {
      return { status: { os: { id: 'os', version }, ...say({ phase: 'Succeeded' }).status } };
    }
    const entry = { version, reason: 'HealthDeadline', attempt, since: new Date().toISOString() };
    const others = (status?.quarantine ?? []).filter((one) => one.version !== version);
    return { status: { quarantine: [...others, entry], ...say({ phase: 'RolledBack' }).status } };
  }
}

/** What an agent says next. */
interface Step {
  status: { update: { phase: string; since: string }; os?: object; quarantine?: object[] };
}

function say(update: { phase: string; version?: string | null; attempt?: number }): Step {
  return { status: { update: { ...update, since: new Date().toISOString() } } };
}
