import { z } from 'zod';
import { tree } from '../tree.ts';

const digest = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);

/** What `trees/<digest>.json` in a bucket holds: a tree, and how its files are found to be as they were stored. */
export const bucketTree = z.strictObject({
  tree,
  /** Of each file, in the same order. */
  objects: z.array(z.strictObject({ etag: z.string().min(1), pieces: z.array(digest) })),
});
export type BucketTree = z.infer<typeof bucketTree>;

/** A hundred thousand pieces are a hundred gigabytes. */
export const MAX_TREE_BYTES = 16 * 1024 * 1024;

export const BLOBS = 'blobs/';
export const TREES = 'trees/';
const TREE_END = '.json';

export const blobKey = (sha256: string): string => `${BLOBS}${sha256}`;
export const blobOf = (key: string): string => key.slice(BLOBS.length);
export const treeKey = (name: string): string => `${TREES}${name}${TREE_END}`;
export const treeOf = (key: string): string => key.slice(TREES.length, -TREE_END.length);

/** Nothing for what is not one. */
export function readBucketTree(bytes: Buffer | undefined): BucketTree | undefined {
  if (bytes === undefined) return undefined;
  try {
    const { data } = bucketTree.safeParse(JSON.parse(bytes.toString('utf8')));
    return data?.objects.length === data?.tree.files.length ? data : undefined;
  } catch {
    return undefined;
  }
}
