import { z } from 'zod';
import { mirrorVariants } from '#api/update-channel.ts';
import { osVersion } from '#api/fields.ts';

const DIGEST = /^[0-9a-f]{64}$/;
const sha256 = z.string().regex(DIGEST);

/** Whether it is a SHA-256 as trees and files are named by: 64 hexadecimal digits. */
export function isDigest(name: string): boolean {
  return DIGEST.test(name);
}

const file = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._+-]*(\/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$/),
  sha256,
  size: z.int().min(0),
});
/** A file of a release under the name by which it is fetched. */
export type TreeFile = z.infer<typeof file>;

export const tree = z.strictObject({
  /** SHA-256 of what names the rest: the manifest, or the first package. */
  digest: sha256,
  version: osVersion,
  variant: z.enum(mirrorVariants),
  /** Fingerprint of the key that all of it was verified with. */
  key: z.string(),
  files: z.array(file).min(1).max(64),
});
/** Files of one release that were verified together and are served together: all of them, or none. */
export type Tree = z.infer<typeof tree>;

/** Bytes of all its files. */
export function treeBytes({ files }: Tree): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
