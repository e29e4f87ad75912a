import { isDeepStrictEqual } from 'node:util';
import { resourcePath } from '#api/group.ts';
import type { OmahaSource } from '#api/channel-source.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { Latest } from '#runtime/informer/latest.ts';
import { channelStatus } from './channel-status.ts';
import { readChannel } from './read-channel.ts';
import type { AskUpstream } from './upstream/ask-upstream.ts';
import { dueAt, pollUpstream, withPolled, type Polled } from './upstream/poll-upstream.ts';

export interface ChannelControllerOptions {
  client: KubeClient;
  channels: Latest<UpdateChannel>;
  ask: AskUpstream;
  /** ms since the epoch. */
  now: () => number;
  /** In [0, 1). */
  random: () => number;
}

const CONFLICT_MS = 250;

/** Keeps the status of one UpdateChannel: what its spec says, what its upstream answers, what its mirror holds. */
export class ChannelController {
  readonly #options: ChannelControllerOptions;
  /** Answers that could not be written yet, because somebody else wrote at the same time. */
  readonly #unwritten = new Map<string, Polled[]>();

  constructor(options: ChannelControllerOptions) {
    this.#options = options;
  }

  async reconcile(name: string, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { client, channels, now } = this.#options;
    const object = channels.get(name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
      return void this.#unwritten.delete(name);
    }
    const polled = await this.#poll(object, signal);
    const known = polled.length === 0 ? object : withAnswers(object, polled);
    const status = channelStatus(known, new Date(now()).toISOString());
    if (!isDeepStrictEqual(plain(status), plain(object.status))) {
      try {
        const path = `${resourcePath('UpdateChannel', name)}/status`;
        const written = await client.replace<UpdateChannel>(path, { ...object, status }, undefined, {
          signal,
        });
        channels.wrote(written);
      } catch (error) {
        if (!isKubeError(error, 'Conflict')) throw error;
        return { requeueAfterMs: CONFLICT_MS };
      }
    }
    this.#unwritten.delete(name);
    return this.#nextPoll({ ...object, status });
  }

  /** What the upstream said, where it is due; a reply that was not written counts as said. */
  async #poll(object: UpdateChannel, signal: AbortSignal): Promise<Polled[]> {
    const { ask, now, random } = this.#options;
    const { name, uid = name } = object.metadata;
    const source = upstreamOf(object);
    const before = this.#unwritten.get(name);
    if (source === undefined || before !== undefined) return before ?? [];
    const due = source.architectures.filter(
      (architecture) => dueAt(source, architecture, object.status) <= now(),
    );
    const polled: Polled[] = [];
    for (const architecture of due) {
      const state = object.status?.upstream?.find((one) => one.architecture === architecture);
      const known = object.status?.releases ?? [];
      const poll = { source, uid, known, state, architecture, now: now(), random: random() };
      polled.push(await pollUpstream(poll, ask, signal));
    }
    if (polled.length > 0) this.#unwritten.set(name, polled);
    return polled;
  }

  #nextPoll(object: UpdateChannel): ReconcileResult {
    const source = upstreamOf(object);
    if (source === undefined) return undefined;
    const due = source.architectures.map((architecture) => dueAt(source, architecture, object.status));
    return { requeueAfterMs: Math.max(0, Math.min(...due) - this.#options.now()) };
  }
}

/** Nothing for an object that cannot be read: nobody is asked for what could not be used. */
function upstreamOf({ metadata, spec, status }: UpdateChannel): OmahaSource | undefined {
  return readChannel(metadata.name, spec, status).channel === undefined ? undefined : spec.source.omaha;
}

function withAnswers(object: UpdateChannel, polled: readonly Polled[]): UpdateChannel {
  const architectures = object.spec.source.omaha?.architectures ?? [];
  const { observedGeneration = -1, ...status } = object.status ?? {};
  return {
    ...object,
    status: { ...status, observedGeneration, ...withPolled(object.status, polled, architectures) },
  };
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
