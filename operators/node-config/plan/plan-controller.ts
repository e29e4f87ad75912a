import type { NodeConfigStatus } from '#api/node-config.ts';
import type { ConfigWanted } from '#api/node-config-state.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { Desires } from '../desire/desires.ts';
import { ConfigReader, type Reading } from '../desire/read-config.ts';
import type { Salt } from '../deliver/salt.ts';
import type { RenderedKeeper } from '../rendered/rendered-keeper.ts';
import { planRollouts } from '../rollout/plan.ts';
import { newSettling } from '../state/settle.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { ConfigMetrics } from '../status/config-metrics.ts';
import { configStatus } from '../status/config-status.ts';
import { driftedBy } from '../status/drifted.ts';
import type { StatusTeller } from '../status/status-teller.ts';
import type { World } from '../world.ts';
import type { CarryOut, Subject } from './carry-out.ts';
import { changesOf } from './changes.ts';
import type { Round } from './round.ts';
import { snapshot } from './snapshot.ts';

export interface PlanControllerOptions {
  world: World;
  desires: Desires;
  salt: Salt;
  writer: StateWriter;
  keeper: RenderedKeeper;
  carryOut: CarryOut;
  teller: StatusTeller;
  metrics: ConfigMetrics;
  /** ms since the epoch. */
  now: () => number;
}

/** How soon a plan that met a newer object than it knew is made again. */
const CONFLICT_MS = 250;
const STALE_RETRY_MS = 5000;
/** Nodes written before the plan is made again: a halt must not wait for thousands of writes. */
const MOST_WRITES = 128;

/** Plans the rollouts of all NodeConfigs, asks the nodes for what comes out, and tells how it stands. */
export class PlanController {
  readonly #options: PlanControllerOptions;
  readonly #reader = new ConfigReader();
  readonly #settling = newSettling();

  constructor(options: PlanControllerOptions) {
    this.#options = options;
  }

  async reconcile(_key: string, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    const stale = this.#options.world.informers.stale();
    if (stale !== undefined) {
      log.warn('the caches are not to be decided from; waiting', { why: stale });
      return { requeueAfterMs: STALE_RETRY_MS };
    }
    try {
      return await this.#carryOut(await this.#round(), signal);
    } catch (error) {
      if (!isKubeError(error, 'Conflict')) throw error;
      log.debug('an object changed since it was read; planning anew', { error });
      return { requeueAfterMs: CONFLICT_MS };
    }
  }

  async #round(): Promise<Round> {
    const { world, desires, salt, writer, now, metrics } = this.#options;
    const started = performance.now();
    const readings = this.#reader.read(world.configList());
    const nodes = world.nodes.list();
    const wanted = await desires.read(readings, nodes);
    const facts = snapshot({
      readings,
      wanted,
      nodes,
      stateOf: (node) => writer.stateOf(node),
      sourcesOf: (name) => world.rendered.get(name)?.spec.sources,
      secret: world.sources.secret,
      fingerprint: (bytes) => salt.fingerprint(bytes),
    });
    const at = now();
    const plan = planRollouts({ ...facts, now: at });
    const subjects = new Map(
      nodes.map((node) => {
        const state = writer.stateOf(node);
        const desired = wanted.desired.get(node.metadata.name) ?? { kind: 'none' as const };
        return [node.metadata.name, state && { node, state, desired }] as const;
      }),
    );
    // A node without a NodeState of its own cannot be written yet.
    const written = facts.nodes.filter(({ name }) => subjects.get(name) !== undefined);
    const changes = changesOf(plan, written, this.#settling, at);
    metrics.planned((performance.now() - started) / 1000);
    metrics.held([...plan.assignments.values()].filter(isTold).map(({ verdict }) => verdict.reason));
    return { readings, wanted, facts, plan, subjects: defined(subjects), changes, now: at };
  }

  /** The word to apply is taken back before it is given, and what the next plan must know is written between. */
  async #carryOut(round: Round, signal: AbortSignal): Promise<ReconcileResult> {
    const { keeper, carryOut } = this.#options;
    const { changes, subjects, plan } = round;
    keeper.plan(new Set(round.wanted.sets.flatMap(({ rendered }) => (rendered.ok ? [rendered.name] : []))));
    await carryOut.all(changes.withdrawals, subjects, signal);
    const statusInMs = await this.#tell(round, signal);
    await carryOut.all(changes.rest.slice(0, MOST_WRITES), subjects, signal);
    if (changes.rest.length > MOST_WRITES) return { requeueAfterMs: 1 };
    await carryOut.mend(subjects.values(), signal);
    const soakMs = plan.nextCheckAt === undefined ? undefined : plan.nextCheckAt - round.now;
    const waits = [statusInMs, changes.settlesInMs, soakMs].filter((ms) => ms !== undefined);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.max(1, Math.min(...waits)) };
  }

  async #tell(round: Round, signal: AbortSignal): Promise<number | undefined> {
    const { teller, world } = this.#options;
    teller.keepOnly(new Set(round.readings.map(({ config }) => config.metadata.name)));
    const drifted = driftedBy(world.stateList(), round.wanted.desired);
    let soonest: number | undefined;
    const asked = new Map(
      [...round.changes.withdrawals, ...round.changes.rest].map(({ node, next }) => [node.name, next]),
    );
    for (const reading of round.readings) {
      if (reading.invalid !== undefined) {
        await teller.refuse(reading.config, reading.invalid, signal);
        continue;
      }
      const status = this.#statusOf(reading, round, asked, drifted);
      const waitMs = status && (await teller.tell(reading.config, status, signal));
      if (waitMs !== undefined) soonest = Math.min(soonest ?? waitMs, waitMs);
    }
    return soonest;
  }

  #statusOf(
    { config }: Reading,
    { plan, facts, wanted, now }: Round,
    asked: ReadonlyMap<string, ConfigWanted>,
    drifted: ReadonlyMap<string, number>,
  ): NodeConfigStatus | undefined {
    const { name } = config.metadata;
    const rollout = plan.rollouts.get(name);
    if (rollout === undefined) return undefined;
    const nodes = facts.nodes.filter(({ name: node }) => rollout.outcomes.has(node));
    return configStatus({
      config,
      rollout,
      plan,
      nodes: nodes.map((node) => ({ ...node, wanted: asked.get(node.name) ?? node.wanted })),
      desired: wanted.desired,
      drifted: drifted.get(name) ?? 0,
      now: new Date(now).toISOString(),
    });
  }
}

function isTold({ action }: { action: string }): boolean {
  return action !== 'clear';
}

function defined(subjects: ReadonlyMap<string, Subject | undefined>): Map<string, Subject> {
  return new Map([...subjects].filter((entry): entry is [string, Subject] => entry[1] !== undefined));
}
