import { withConditions } from '#api/conditions.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import type { UpdateChannelStatus } from '#api/update-channel.ts';
import type { WholeChannel } from './read-channel.ts';
import { currentRelease, readChannel } from './read-channel.ts';

/**
 * The status of a channel as its spec, an upstream and the mirror have it. `lastSync` of declared releases moves only when a new generation was read, so that
 * a channel that nobody touches costs no writes. An invalid object keeps what was last read of it.
 */
export function channelStatus(object: UpdateChannel, now: string): UpdateChannelStatus {
  const generation = object.metadata.generation ?? 0;
  const before = object.status;
  const { channel, invalid } = readChannel(object.metadata.name, object.spec, before);
  if (channel === undefined) return stalled(before, generation, invalid, now);
  return {
    ...before,
    observedGeneration: generation,
    ...contents(channel, object.spec.source.omaha === undefined ? undefined : before),
    ...lastSync(object, before, now),
    conditions: withConditions(before?.conditions, said(channel, object, generation), now),
  };
}

/** Declared releases are read with each generation; an upstream's when it answers. */
function lastSync(
  { spec, metadata: { generation = 0 } }: UpdateChannel,
  before: UpdateChannelStatus | undefined,
  now: string,
): Pick<UpdateChannelStatus, 'lastSync'> {
  if (spec.source.omaha !== undefined)
    return before?.lastSync === undefined ? {} : { lastSync: before.lastSync };
  const isNew = before?.observedGeneration !== generation || before.lastSync === undefined;
  return { lastSync: isNew ? now : before.lastSync };
}

/** `told` is what an upstream said so far. What is not said any more is left out, so that it is taken away. */
function contents(
  channel: WholeChannel,
  told: UpdateChannelStatus | undefined,
): Pick<UpdateChannelStatus, 'current' | 'releases'> {
  const upstreams = new Map(told?.releases?.map((release) => [release.version, release]));
  return {
    current: currentRelease(channel)?.version,
    releases: channel.known.map(({ version, floor }) => {
      const { builds, since, floorReason } = upstreams.get(version) ?? {};
      const said = builds === undefined ? {} : { floorReason, builds, since };
      return { version, floor, ...said, blocked: channel.blocked.has(version) };
    }),
  };
}

function said(channel: WholeChannel, { spec, status }: UpdateChannel, generation: number) {
  const upstream = upstreamReachable(spec, status, generation);
  return [ready(channel, generation), ...(upstream === undefined ? [] : [upstream])];
}

/** An upstream that is away takes nothing from the channel: what it told stays, and Ready does. */
function upstreamReachable(
  { source: { omaha } }: UpdateChannel['spec'],
  status: UpdateChannelStatus | undefined,
  observedGeneration: number,
) {
  if (omaha === undefined) return undefined;
  const failed = status?.upstream?.find(({ error }) => error !== undefined);
  const type = 'UpstreamReachable';
  if (failed?.error === undefined) {
    const message = `${omaha.url} answers for ${omaha.architectures.join(' and ')}`;
    return { type, status: 'True' as const, reason: 'Answered', message, observedGeneration };
  }
  const { code, message } = failed.error;
  return {
    type,
    status: 'False' as const,
    reason: code,
    message: `${failed.architecture}: ${message}`,
    observedGeneration,
  };
}

function ready(channel: WholeChannel, observedGeneration: number) {
  const current = currentRelease(channel)?.version;
  const [first] = channel.waiting;
  const waiting = first === undefined ? '' : `; ${channel.waiting.length} not yet: ${first}`;
  const message =
    current === undefined
      ? `None of ${channel.known.length} releases is free to be offered${waiting}`
      : `${channel.releases.length} releases, newest ${current}${waiting}`;
  const reason = current === undefined ? 'NoUsableRelease' : 'Synced';
  return { type: 'Ready', status: 'True' as const, reason, message, observedGeneration };
}

function stalled(
  before: UpdateChannelStatus | undefined,
  observedGeneration: number,
  message: string,
  now: string,
): UpdateChannelStatus {
  const said = { reason: 'Invalid', message, observedGeneration };
  return {
    ...before,
    observedGeneration,
    conditions: withConditions(
      before?.conditions,
      [
        { type: 'Ready', status: 'False', ...said },
        { type: 'Stalled', status: 'True', ...said },
      ],
      now,
    ),
  };
}
