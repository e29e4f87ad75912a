import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { DirectReader } from './direct-reader.ts';
import type { OpenMedium } from './medium.ts';
import { SlotError, slotErrorOf } from './slot-error.ts';

/** The part of a file or block device that a medium covers; all of it if not given. In bytes. */
export interface Extent {
  offset: number;
  size: number;
}

export interface OpenOptions {
  writable: boolean;
  /** On a block device: fail with `SlotBusy` while anything has it mounted or claimed. */
  exclusive?: boolean;
  extent?: Extent | undefined;
  /** Told when `readBack` cannot read past the page cache: what it gives is what was written, not what is kept. */
  onCached?: OnCached | undefined;
}

export type OnCached = (path: string) => void;

/** Opens a file or block device, or an extent of it; throws `SlotError`. */
export async function openMedium(path: string, options: OpenOptions): Promise<OpenMedium> {
  const flags =
    (options.writable ? constants.O_RDWR : constants.O_RDONLY) | (options.exclusive ? constants.O_EXCL : 0);
  const handle = await open(path, flags).catch((error: unknown) => {
    throw slotErrorOf(error, `opening ${path}`);
  });
  try {
    const extent = options.extent ?? { offset: 0, size: await sizeOf(handle, path) };
    return new FileMedium(path, handle, extent, options.onCached);
  } catch (error) {
    await handle.close();
    throw slotErrorOf(error, `opening ${path}`);
  }
}

/** `stat` says 0 for a block device, and Node can neither seek nor ask by ioctl: the end is searched for. */
async function sizeOf(handle: FileHandle, path: string): Promise<number> {
  const stat = await handle.stat();
  if (!stat.isBlockDevice()) return stat.size;
  const probe = Buffer.alloc(1);
  const has = async (offset: number) => (await handle.read(probe, 0, 1, offset)).bytesRead === 1;
  let [below, above] = [0, 512];
  while (await has(above)) [below, above] = [above, above * 2];
  while (above - below > 512) {
    const middle = below + Math.floor((above - below) / 1024) * 512;
    if (await has(middle)) below = middle;
    else above = middle;
  }
  if (above === 512 && !(await has(0))) throw new SlotError('WrongDisk', `${path} has no medium`);
  return above;
}

class FileMedium implements OpenMedium {
  readonly size: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #offset: number;
  readonly #onCached: OnCached | undefined;
  /** Opened at the first `readBack`. */
  #direct: Promise<DirectReader | undefined> | undefined;

  constructor(path: string, handle: FileHandle, extent: Extent, onCached: OnCached | undefined) {
    this.#path = path;
    this.#handle = handle;
    this.#offset = extent.offset;
    this.#onCached = onCached;
    this.size = extent.size;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    this.#check(offset, length);
    return this.#attempt('reading', async () => {
      const bytes = Buffer.allocUnsafeSlow(length);
      await fill(this.#handle, bytes, this.#offset + offset);
      return bytes;
    });
  }

  async readBack(offset: number, length: number): Promise<Buffer> {
    this.#check(offset, length);
    return this.#attempt('reading back', async () => {
      const direct = await (this.#direct ??= DirectReader.open(this.#path));
      if (direct) return direct.read(this.#offset + offset, length);
      this.#onCached?.(this.#path);
      return this.read(offset, length);
    });
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#check(offset, bytes.length);
    await this.#attempt('writing to', async () => {
      for (let done = 0; done < bytes.length;) {
        const rest = bytes.length - done;
        const { bytesWritten } = await this.#handle.write(bytes, done, rest, this.#offset + offset + done);
        if (bytesWritten === 0) throw new Error('nothing was written');
        done += bytesWritten;
      }
    });
  }

  async sync(): Promise<void> {
    await this.#attempt('syncing', () => this.#handle.datasync());
  }

  async close(): Promise<void> {
    await (await this.#direct?.catch(() => undefined))?.close();
    await this.#handle.close();
  }

  #check(offset: number, length: number): void {
    if (offset >= 0 && offset + length <= this.size) return;
    throw new SlotError('IoError', `${this.#path} ends at ${this.size}, before ${offset} + ${length}`);
  }

  async #attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw slotErrorOf(error, `${what} ${this.#path}`);
    }
  }
}

async function fill(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw new Error('the end came too early');
    done += bytesRead;
  }
}
