import { withConditions } from '#api/conditions.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import type { UpdateChannelStatus } from '#api/update-channel.ts';
import type { Channel } from './read-channel.ts';
import { currentRelease, readChannel } from './read-channel.ts';

/**
 * The status of a channel with declared releases. `lastSync` moves only when a new generation was read, so that
 * a channel that nobody touches costs no writes. An invalid object keeps what was last read of it.
 */
export function channelStatus(object: UpdateChannel, now: string): UpdateChannelStatus {
  const generation = object.metadata.generation ?? 0;
  const before = object.status;
  const { channel, invalid } = readChannel(object.metadata.name, object.spec);
  if (channel === undefined) return stalled(before, generation, invalid, now);
  const isNew = before?.observedGeneration !== generation || before.lastSync === undefined;
  return {
    observedGeneration: generation,
    ...contents(channel),
    lastSync: isNew ? now : before.lastSync,
    conditions: withConditions(before?.conditions, [ready(channel, generation)], now),
  };
}

function contents(channel: Channel): Pick<UpdateChannelStatus, 'current' | 'releases'> {
  const current = currentRelease(channel)?.version;
  return {
    ...(current === undefined ? {} : { current }),
    releases: channel.releases.map(({ version, floor }) => ({
      version,
      floor,
      blocked: channel.blocked.has(version),
    })),
  };
}

function ready(channel: Channel, observedGeneration: number) {
  const current = currentRelease(channel)?.version;
  const message =
    current === undefined
      ? `None of ${channel.releases.length} releases is free to be offered`
      : `${channel.releases.length} releases, newest ${current}`;
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
