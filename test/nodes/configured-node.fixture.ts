import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { HostRoot } from '#agent/boot/host-root.ts';
import { hostConfig } from '#agent/config/host-config.ts';
import type { ConfigLife } from '#agent/config/life/config-life.ts';
import type { ConfigReport } from '#agent/config/life/report.ts';
import { giveAccount } from '#agent/testing/node-account.ts';
import { RealBench } from '#agent/testing/real-bench.ts';
import { BUNDLE_NAMESPACE } from '#api/config-document.ts';
import type { ConfigDocument } from '#api/config-document.ts';
import type { ConfigPhase } from '#api/config-errors.ts';
import { bundleHash } from '#api/config-hash.ts';
import type { Node } from '#api/meta.ts';
import type { NodeStateSpec } from '#api/node-state.ts';
import { createLogger } from '#runtime/log/log.ts';

const SECRETS = `/api/v1/namespaces/${BUNDLE_NAMESPACE}/secrets`;
const SALT = 'a'.repeat(32);
const log = createLogger({ level: 'error', name: 'agent' });
const nothing = () => Promise.resolve(undefined);

/**
 * A node whose systemd is real and whose configuration this program leads, through the node's root directory. An
 * agent that is dead is one that takes no further turn.
 */
export class ConfiguredNode {
  readonly bench: RealBench;
  readonly #uid: string | undefined;
  #generation = 0;
  #agent: ConfigLife | undefined;

  private constructor(bench: RealBench, uid: string | undefined) {
    this.bench = bench;
    this.#uid = uid;
  }

  static async start(): Promise<ConfiguredNode> {
    const bench = await RealBench.start({});
    await bench.admin.create('/api/v1/namespaces', { metadata: { name: BUNDLE_NAMESPACE } });
    await giveAccount(bench.admin, 'node1');
    const { metadata } = await bench.admin.get<Node>('/api/v1/nodes/node1');
    return new ConfiguredNode(bench, metadata.uid);
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.bench.stop();
  }

  /** A new agent's part: nothing of the one before but what is on the node. */
  async life(): Promise<ConfigLife> {
    await this.#agent?.stop();
    const { root } = this.bench.machine;
    const stateDir = join(root, 'var/lib/careen');
    const host = new HostRoot({ root, stateDir, log });
    const { machineID = '' } = await host.facts();
    this.#agent = await hostConfig({
      root,
      stateDir,
      machineID,
      host,
      nodeName: 'node1',
      kubeconfig: this.bench.cluster.kubeconfig,
      systemd: true,
      client: this.bench.admin,
      agent: { log, now: Date.now, monotonicMs: () => performance.now(), api: undefined as never },
      onNews: () => undefined,
    });
    return this.#agent;
  }

  /** What is wanted of the node, as its NodeState would say. */
  async wish(document: ConfigDocument): Promise<NodeStateSpec> {
    const hash = bundleHash(document, SALT);
    this.#generation += 1;
    const generation = this.#generation;
    const node = { name: 'node1', uid: this.#uid };
    const bundle = gzipSync(JSON.stringify({ hash, salt: SALT, generation, node, document }));
    const data = { bundle: bundle.toString('base64') };
    await this.bench.admin.mergePatch(`${SECRETS}/node1`, { data });
    return { config: { hash, generation, apply: true, rendered: `rendered-${generation}` } };
  }

  /** Turns of the agent until it says so of what is wanted; of what was before it may still say something else. */
  async drive(
    agent: ConfigLife,
    spec: NodeStateSpec,
    phases: readonly ConfigPhase[] = ['Applied', 'Reverted', 'Failed'],
  ): Promise<ConfigReport['config']> {
    const { signal } = new AbortController();
    for (const end = performance.now() + 300_000; performance.now() < end;) {
      const bootID = (await this.bench.on('cat', '/proc/sys/kernel/random/boot_id')).trim();
      const around = { bootID, spec, update: 'Idle' as const, updateStaged: false, accept: nothing };
      const { waitMs } = await agent.turn(around, signal);
      const config = agent.report()?.config;
      if (config?.hash === spec.config?.hash && config && phases.includes(config.phase)) return config;
      await delay(Math.min(waitMs, 500));
    }
    throw new Error(`not ${phases.join(' or ')}: ${JSON.stringify(agent.report())}`);
  }

  /** A property of a unit as systemd has it now. */
  async unit(name: string, property = 'ActiveState'): Promise<string> {
    const { stdout } = await this.bench.machine.exec(['systemctl', 'show', '-P', property, name]);
    return stdout.trim();
  }
}
