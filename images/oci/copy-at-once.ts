import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';

/** Copies a file so that a reader of `to` finds all of it or nothing; several may do it together. */
export async function copyAtOnce(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  const temporary = `${to}.${randomUUID()}`;
  await copyFile(from, temporary);
  await rename(temporary, to);
}
