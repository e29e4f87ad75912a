import { statfs } from 'node:fs/promises';
import { RealNodeError } from '../real-node-error.ts';

/**
 * Programs that run out of space half-way seldom say where. Done before them.
 * @throws RealNodeError NotPossible if `directory` has less room than that
 */
export async function demandSpace(directory: string, needed: { mib: number; for: string }): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  if (free >= needed.mib) return;
  const message = `${needed.for} takes ${needed.mib} MB in ${directory}, where only ${free} MB are free`;
  throw new RealNodeError('NotPossible', message);
}
