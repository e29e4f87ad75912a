import { isDeepStrictEqual } from 'node:util';
import { resourcePath } from '#api/group.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { ReconcileContext, ReconcileResult } from '#runtime/controller/controller.ts';
import type { Latest } from '#runtime/informer/latest.ts';
import { channelStatus } from './channel-status.ts';

export interface ChannelControllerOptions {
  client: KubeClient;
  channels: Latest<UpdateChannel>;
  /** ms since the epoch. */
  now: () => number;
}

const CONFLICT_MS = 250;

/** Keeps the status of one UpdateChannel. Groups read its spec, not this status. */
export class ChannelController {
  readonly #options: ChannelControllerOptions;

  constructor(options: ChannelControllerOptions) {
    this.#options = options;
  }

  async reconcile(name: string, { signal }: ReconcileContext): Promise<ReconcileResult> {
    const { client, channels, now } = this.#options;
    const object = channels.get(name);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const status = channelStatus(object, new Date(now()).toISOString());
    if (isDeepStrictEqual(plain(status), plain(object.status))) return;
    try {
      const path = `${resourcePath('UpdateChannel', name)}/status`;
      channels.wrote(await client.replace<UpdateChannel>(path, { ...object, status }, undefined, { signal }));
    } catch (error) {
      if (!isKubeError(error, 'Conflict')) throw error;
      return { requeueAfterMs: CONFLICT_MS };
    }
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
