import type { NodeGroup } from '#api/kinds.ts';
import type { NodeGroupSpec } from '#api/node-group.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import { runningVersion } from '../rollout/facts.ts';
import { desiredUpdate } from '../state/desired-update.ts';
import type { NodeWrites } from '../state/node-writes.ts';
import { newSettling } from '../state/settle.ts';
import type { Change } from '../state/write-order.ts';
import { inStages } from '../state/write-order.ts';
import type { Log } from '#runtime/log/log.ts';
import type { GroupPlannerOptions } from './group-planner.ts';
import { GroupPlanner } from './group-planner.ts';
import { readGroup } from './read-group.ts';
import type { Round } from './round.ts';
import type { StatusTellerOptions } from './status-teller.ts';
import { StatusTeller } from './status-teller.ts';

export interface GroupControllerOptions extends StatusTellerOptions, GroupPlannerOptions {
  writes: NodeWrites;
}

/** How soon a plan that met a newer object than it knew is made again. */
const CONFLICT_MS = 250;
const STALE_RETRY_MS = 5000;

/** Keeps one NodeGroup: plans its rollout, asks its nodes for it, and tells how it stands. */
export class GroupController {
  readonly #options: GroupControllerOptions;
  readonly #settling = new Map<string, ReturnType<typeof newSettling>>();
  readonly #status: StatusTeller;
  readonly #planner: GroupPlanner;

  constructor(options: GroupControllerOptions) {
    this.#options = options;
    this.#status = new StatusTeller(options);
    this.#planner = new GroupPlanner(options);
  }

  async reconcile(name: string, { signal, log }: ReconcileContext): Promise<ReconcileResult> {
    const { world, now } = this.#options;
    const stale = world.informers.stale();
    if (stale !== undefined) {
      log.warn('the caches are not to be decided from; waiting', { why: stale });
      return { requeueAfterMs: STALE_RETRY_MS };
    }
    const object = world.groups.get(name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
      this.#settling.delete(name);
      this.#planner.forget(name);
      return this.#status.forget(name);
    }
    try {
      const { spec, invalid } = readGroup(object.spec);
      if (spec === undefined) return await this.#status.refuse(object, invalid, signal);
      return await this.#carryOut(await this.#round(object, spec, now(), log), signal);
    } catch (error) {
      if (!isKubeError(error, 'Conflict')) throw error;
      log.debug('an object changed since it was read; planning anew', { error });
      return { requeueAfterMs: CONFLICT_MS };
    }
  }

  async #round(object: NodeGroup, spec: NodeGroupSpec, now: number, log: Pick<Log, 'warn'>): Promise<Round> {
    const round = { object, spec, now, ...(await this.#planner.plan(object, spec, now, log)) };
    return { ...round, ...this.#changes(round) };
  }

  #changes({
    object,
    spec,
    channel,
    nodes,
    plan,
    now,
  }: Omit<Round, 'changes' | 'settlesInMs'>): Pick<Round, 'changes' | 'settlesInMs'> {
    const changes: Change[] = [];
    const settling = this.#settlingOf(object.metadata.name);
    settling.keepOnly(new Set(nodes.map(({ facts }) => facts.name)));
    let settlesInMs: number | undefined;
    for (const { facts } of nodes) {
      const assignment = plan.assignments.get(facts.name);
      if (assignment === undefined) continue;
      const unsettledMs = settling.see(facts.name, assignment.verdict.reason, now);
      const context = {
        group: object.metadata.name,
        policy: spec,
        channel: 'missing' in channel ? undefined : channel,
        running: runningVersion(facts),
        settled: unsettledMs === 0,
        now: new Date(now).toISOString(),
      };
      const next = desiredUpdate(facts.wanted, assignment, context);
      if (next !== facts.wanted) changes.push({ node: facts, next });
      if (unsettledMs > 0) settlesInMs = Math.min(settlesInMs ?? unsettledMs, unsettledMs);
    }
    return { changes, settlesInMs };
  }

  #settlingOf(group: string): ReturnType<typeof newSettling> {
    const settling = this.#settling.get(group) ?? newSettling();
    this.#settling.set(group, settling);
    return settling;
  }

  /** In the order of `inStages`; the status, which records a halt, comes before any failed node's own write. */
  async #carryOut(round: Round, signal: AbortSignal): Promise<ReconcileResult> {
    const { withdrawals, failures, rest } = inStages(round.changes);
    const nodes = new Map(round.nodes.map(({ node }) => [node.metadata.name, node]));
    const { writes } = this.#options;
    await writes.all(withdrawals, nodes, signal);
    const statusInMs = await this.#status.tell(round, signal);
    await writes.all(failures, nodes, signal);
    await writes.all(rest, nodes, signal);
    const { nextCheckAt } = round.plan;
    const waits = [
      statusInMs,
      round.settlesInMs,
      nextCheckAt === undefined ? undefined : nextCheckAt - round.now,
    ].filter((ms) => ms !== undefined);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.max(1, Math.min(...waits)) };
  }
}
