import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { RecordError } from './record-error.ts';

const SQLITE_BUSY = 5;

/**
 * The right to act on a machine's state directory, for one process at a time: two agents (a pod that was deleted by
 * force and lives on, one that surges) would undo each other's work on the disk.
 *
 * A lock of the kernel on `<stateDir>/agent.lock`, which ends with the process however that ends, and holds across
 * pods, as they share the file. Node offers no such lock but through SQLite, of whose database the file, which
 * stays empty, is one by name only.
 */
export class Claim {
  readonly #stateDir: string;
  #held: DatabaseSync | undefined;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** Whether the directory is this process's, from now on; false: another process has it. Throws `RecordError`. */
  async take(): Promise<boolean> {
    if (this.#held !== undefined) return true;
    const path = join(this.#stateDir, 'agent.lock');
    try {
      await mkdir(this.#stateDir, { recursive: true, mode: 0o700 });
      this.#held = await lock(path);
      return true;
    } catch (error) {
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
      const message = `cannot lock ${path} (${String(error)}): make room or make it writable; nothing moves until then`;
      throw new RecordError('Unwritable', message, error);
    }
  }

  release(): void {
    this.#held?.close();
    this.#held = undefined;
  }
}

async function lock(path: string): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
