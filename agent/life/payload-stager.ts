import type { Staged } from '../record/record.ts';
import type { SlotEngine } from '../slots/engine.ts';
import { SlotError } from '../slots/slot-error.ts';
import type { Stageable } from './facts.ts';
import type { Progress, StagedImage, Stager } from './parts.ts';

/** Stages signed payloads over HTTP; `stateDir` keeps how far it came. */
export class PayloadStager implements Stager {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  async stage(
    engine: SlotEngine,
    { version, payload, keys = [] }: Stageable,
    signal: AbortSignal,
    onProgress: (progress: Progress) => void,
  ): Promise<StagedImage> {
    // Loaded when there is something to stage: the agent idles for weeks, and its memory is every node's.
    const { stagePayload } = await import('../payload/stage.ts');
    const target = await engine.open();
    try {
      const { manifest, sha256 } = payload;
      const pinned = sha256 === undefined ? {} : { sha256 };
      const image = {
        manifest,
        ...pinned,
        keys,
        version,
        target,
        stateDir: this.#stateDir,
        signal,
        onProgress,
      };
      const { sha256: digest, size } = await stagePayload(image);
      return { slot: target.name, partUUID: target.partUUID, digest, size };
    } finally {
      await target.close();
    }
  }

  async digest(engine: SlotEngine, { slot, partUUID, size }: Staged, signal: AbortSignal): Promise<string> {
    const { imageDigest } = await import('../payload/image-digest.ts');
    const target = await engine.open(slot);
    try {
      if (target.partUUID !== partUUID)
        throw new SlotError('WrongDisk', `${slot} is not the partition that was written; it is staged anew`);
      return await imageDigest(target.medium, size, signal);
    } finally {
      await target.close();
    }
  }
}
