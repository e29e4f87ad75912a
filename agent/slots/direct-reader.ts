import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** TypeScript knows it only with the browser's types. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number }) => { readonly buffer: ArrayBuffer };
};

/** Suits disks of 512 and of 4096 bytes a sector. */
const ALIGNMENT = 4096;
const PAGES = 16; // of 64 KiB

/**
 * Reads a file or device past the page cache (O_DIRECT), from the medium itself. That needs memory at page
 * boundaries, which only a WebAssembly memory promises in Node. Errors are the system's own.
 */
export class DirectReader {
  readonly #handle: FileHandle;
  readonly #window = Buffer.from(new WebAssembly.Memory({ initial: PAGES }).buffer);
  /** The window serves one read at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** None where the file system has no O_DIRECT: such bytes are in memory alone, or not ours to reach. */
  static async open(path: string): Promise<DirectReader | undefined> {
    try {
      return new DirectReader(await open(path, constants.O_RDONLY | constants.O_DIRECT));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
      throw error;
    }
  }

  /** Exactly `length` bytes from any offset. */
  async read(offset: number, length: number): Promise<Buffer> {
    const result = this.#turn.then(() => this.#read(offset, length));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const skip = (offset + done) % ALIGNMENT;
      const whole = Math.ceil((skip + length - done) / ALIGNMENT) * ALIGNMENT;
      const size = Math.min(this.#window.length, whole);
      const { bytesRead } = await this.#handle.read(this.#window, 0, size, offset + done - skip);
      if (bytesRead <= skip) throw new Error('the end came too early');
      done += this.#window.copy(bytes, done, skip, bytesRead);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
