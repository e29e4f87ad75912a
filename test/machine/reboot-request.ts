import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';

/** The file in `<machine>/run` whose appearance asks for an orderly reboot. */
export const REBOOT_FILE = 'reboot';

/** Resolves when the file appears in `directory`, or `signal` is aborted. Watches from the call on. */
export function rebootRequested(directory: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, { persistent: false });
    const finish = (): void => {
      watcher.close();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const look = (): void => {
      if (existsSync(join(directory, REBOOT_FILE))) finish();
    };
    watcher.on('change', look);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
    else look();
  });
}
