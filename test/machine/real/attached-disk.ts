import { appendFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tool } from './tool.ts';

const DETACH = new URL('detach-disk.sh', import.meta.url).pathname;
const TRIES = 50;
const AGAIN_MS = 50;

/**
 * A disk image as a block device, with a node for each partition. It is attached for one boot only: the firmware
 * works on the image while no device is there, so that neither can see old bytes of the other in a cache.
 */
export class AttachedDisk {
  /** Such as `loop8`. */
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** `ledger` gets a line with the device's name, for the one who cleans up after a crash. */
  static async attach(image: string, ledger: string): Promise<AttachedDisk> {
    const device = await freeLoop(image);
    await appendFile(ledger, `${device}\n`);
    await tool('partx', ['-a', device]);
    return new AttachedDisk(basename(device));
  }

  /** The device of a partition, such as `loop8p3`. */
  partition(index: number): string {
    return `${this.name}p${index}`;
  }

  /** Waits until the mounts of the boot that has just ended are gone. */
  async detach(): Promise<void> {
    await tool('sh', [DETACH, `/dev/${this.name}`]);
  }
}

/** Another program may remove the free device between losetup's two steps: one that ends a fleet removes many in a row. */
async function freeLoop(image: string): Promise<string> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await tool('losetup', ['--show', '-f', image]);
    } catch (error) {
      if (left === 0) throw error;
      await sleep(AGAIN_MS);
    }
  }
}
