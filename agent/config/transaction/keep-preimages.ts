import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { ConfigError } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import { readBytes } from '../paths/read-bytes.ts';
import type { Owned } from '../plan/owned.ts';
import type { Workplace } from './workplace.ts';

/** A file that is larger is not taken over: it could not be kept. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Keeps the contents that are to be restored one day, as long as they still stand where they are. */
export async function keepPreimages({ tree, preimages }: Workplace, owned: readonly Owned[]): Promise<void> {
  for (const { path, before } of owned) {
    if (before.type !== 'file' || (await preimages.has(before.sha256))) continue;
    await using directory = await Directory.open(tree, dirname(path));
    const { bytes } = await readBytes(directory, basename(path), MAX_BYTES);
    if (createHash('sha256').update(bytes).digest('hex') !== before.sha256)
      throw new ConfigError('TargetBusy', `somebody changed ${path}: it is planned again`, { path });
    await preimages.save(before.sha256, bytes);
  }
}
