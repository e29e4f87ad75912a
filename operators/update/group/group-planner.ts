import type { NodeGroup } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import type { NodeGroupSpec } from '#api/node-group.ts';
import type { Log } from '#runtime/log/log.ts';
import { forAgents, readChannel } from '../channel/read-channel.ts';
import type { GroupCounts } from '../omaha/store/store.ts';
import type { NodeFacts } from '../rollout/facts.ts';
import { readFacts } from '../rollout/facts.ts';
import type { Machines } from '../rollout/machines.ts';
import type { Plan, PlanInput } from '../rollout/plan.ts';
import { planRollout } from '../rollout/plan.ts';
import type { ChannelOrWhy } from '../rollout/target.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { World } from '../world.ts';
import type { MachineBook } from './machine-book.ts';
import { closedHours } from './office-hours.ts';
import { shareOf } from '#operators/rollout/share.ts';

export interface GroupPlannerOptions {
  world: World;
  writer: StateWriter;
  /** Where machines are kept that ask over Omaha; undefined: they are not answered. */
  book?: MachineBook | undefined;
}

/** A group's plan, with what it was made from. */
export interface Planned {
  channel: ChannelOrWhy;
  nodes: { node: Node; facts: NodeFacts }[];
  plan: Plan;
  /** The group's machines; undefined where it answers none. */
  counts: GroupCounts | undefined;
}

type Seen = Machines & { counts: GroupCounts };

/** Plans groups over nodes and machines alike: reads what there is, and asks the store for the nodes' places. */
export class GroupPlanner {
  readonly #options: GroupPlannerOptions;
  /** The machines as last read, for when the store cannot be reached. */
  readonly #seen = new Map<string, Seen>();

  constructor(options: GroupPlannerOptions) {
    this.#options = options;
  }

  forget(group: string): void {
    this.#seen.delete(group);
  }

  async plan(object: NodeGroup, spec: NodeGroupSpec, now: number, log: Pick<Log, 'warn'>): Promise<Planned> {
    const { world, book } = this.#options;
    const { name } = object.metadata;
    const channel = this.#channelOf(spec);
    const isAnswering = book !== undefined && spec.update?.omaha !== undefined;
    const look = isAnswering ? await this.#look(book, object, log) : undefined;
    const nodes = this.#nodesOf(name);
    const input: PlanInput = {
      group: { name, update: spec.update },
      channel,
      nodes: nodes.map(({ facts }) => facts),
      previous: object.status?.rollout,
      closed: closedHours(spec.update?.rollout.windows ?? [], (window) => world.windows.get(window), now),
      now,
    };
    if (!isAnswering || look === undefined)
      return { channel, nodes, plan: planRollout(input), counts: undefined };
    const { machines, isStale } = look;
    const joint = { ...input, machines, mayBeDown: mayBeDown(spec, nodes.length) };
    const plan = isStale ? planRollout({ ...joint, room: 0 }) : await planWith(book, joint, spec);
    return { channel, nodes, plan, counts: machines.counts };
  }

  /** Without the store no further node begins: the budget is kept there. What has to be taken away still is. */
  async #look(
    book: MachineBook,
    object: NodeGroup,
    log: Pick<Log, 'warn'>,
  ): Promise<{ machines: Seen; isStale: boolean }> {
    const { name } = object.metadata;
    try {
      const machines = await book.look(name, object.status?.rollout?.target);
      this.#seen.set(name, machines);
      return { machines, isStale: false };
    } catch (error) {
      const machines = this.#seen.get(name);
      if (machines === undefined) throw error;
      log.warn('the store of machines cannot be read; no further node begins', { error });
      return { machines, isStale: true };
    }
  }

  #nodesOf(group: string): Planned['nodes'] {
    const { world, writer } = this.#options;
    return world.membership
      .members(group)
      .map((node) => world.nodes.get(node))
      .filter((node) => node !== undefined)
      .map((node) => ({ node, facts: readFacts(node, writer.stateOf(node)) }));
  }

  /** A group that answers over Omaha goes to any release; another one only to those that its nodes can take. */
  #channelOf({ update }: NodeGroupSpec): ChannelOrWhy {
    const name = update?.channel ?? '';
    const object = this.#options.world.channels.get(name);
    if (object === undefined) return { missing: `there is no UpdateChannel ${name}` };
    const { channel, invalid } = readChannel(name, object.spec, object.status);
    if (channel === undefined) return { missing: `UpdateChannel ${name} cannot be used: ${invalid}` };
    return update?.omaha === undefined ? forAgents(channel) : channel;
  }
}

/** How many nodes of the group its reboot policy lets be down at once. */
function mayBeDown({ reboot: { strategy, maxUnavailable } }: NodeGroupSpec, nodes: number): number {
  if (strategy === 'lock') return shareOf(maxUnavailable, nodes, 'down');
  return strategy === 'off' ? 0 : Infinity;
}

/** Deals machines out where that is due, and has the store agree to the nodes that begin. */
async function planWith(book: MachineBook, input: PlanInput, { update }: NodeGroupSpec): Promise<Plan> {
  const { group, nodes, now, machines } = input;
  let given = input;
  let plan = planRollout(given);
  const target = plan.rollout?.target;
  if (update === undefined || target === undefined || machines === undefined) return plan;
  if (plan.isDealDue) {
    const deal = await book.deal(group.name, target, update.rollout.waves);
    given = { ...given, machines: { ...machines, deal } };
    plan = planRollout(given);
  }
  const places = await book.places(group.name, update, nodes.length + machines.total, plan.staging, now);
  return places < plan.staging.more ? planRollout({ ...given, room: places }) : plan;
}
