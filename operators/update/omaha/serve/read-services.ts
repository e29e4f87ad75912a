import type { NodeGroup, RebootWindow, UpdateChannel } from '#api/kinds.ts';
import { readChannel } from '../../channel/read-channel.ts';
import { readGroup } from '../../group/read-group.ts';
import { closedHours } from '../../group/office-hours.ts';
import type { ChannelOrWhy } from '../../rollout/target.ts';
import type { Service } from '../decide/service.ts';

/** What groups are read from: caches of the cluster. */
export interface Objects {
  groups: () => readonly NodeGroup[];
  channel: (name: string) => UpdateChannel | undefined;
  window: (name: string) => RebootWindow | undefined;
}

/** What stays the same while neither the group nor its channel changes. */
interface Known {
  group: NodeGroup;
  channel: UpdateChannel | undefined;
  service: Service | undefined;
}

/** The groups that answer over Omaha; each is read once for each version of its objects, as requests are many. */
export class Services {
  readonly #objects: Objects;
  readonly #known = new Map<string, Known>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  at(now: number): Service[] {
    const groups = this.#objects.groups();
    const names = new Set(groups.map(({ metadata }) => metadata.name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    return groups.flatMap((group) => {
      const service = this.#read(group);
      if (service === undefined) return [];
      const closed = closedHours(service.policy.rollout.windows, this.#objects.window, now);
      return [closed === undefined ? service : { ...service, closed: closed.verdict }];
    });
  }

  #read(group: NodeGroup): Service | undefined {
    const { name } = group.metadata;
    const channelName = group.spec.update?.channel;
    const channel = channelName === undefined ? undefined : this.#objects.channel(channelName);
    const before = this.#known.get(name);
    if (before?.group === group && before.channel === channel) return before.service;
    const service = serviceOf(group, channel);
    this.#known.set(name, { group, channel, service });
    return service;
  }
}

function serviceOf(
  { metadata, spec, status }: NodeGroup,
  object: UpdateChannel | undefined,
): Service | undefined {
  if (spec.update?.omaha === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const { spec: read } = readGroup(spec);
  if (read?.update?.omaha === undefined) return undefined;
  return {
    group: metadata.name,
    priority: read.priority,
    policy: read.update,
    omaha: read.update.omaha,
    channel: channelOf(read.update.channel, object),
    rollout: status?.rollout,
    nodes: status?.total ?? 0,
    failedNodes: status?.rolledBack ?? 0,
    closed: undefined,
  };
}

function channelOf(name: string, object: UpdateChannel | undefined): ChannelOrWhy {
  if (object === undefined) return { missing: `there is no UpdateChannel ${name}` };
  const { channel, invalid } = readChannel(name, object.spec, object.status);
  return channel ?? { missing: `UpdateChannel ${name} cannot be used: ${invalid}` };
}
