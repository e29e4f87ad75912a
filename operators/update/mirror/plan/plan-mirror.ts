import { keyFingerprint } from '../../channel/trusted-key.ts';
import { treeBytes, type Tree } from '../store/tree.ts';
import type { WantedRelease } from './wanted.ts';

export interface MirrorSnapshot {
  /** Of all channels, in the order in which they are fetched. */
  wanted: readonly WantedRelease[];
  held: readonly Tree[];
  /** Bytes that the mirror may take. */
  limit: number;
}

/** What to do with the store. */
export interface MirrorPlan {
  /** Digests of trees that nobody wants, or that have to make room. */
  drop: string[];
  /** Wanted, not there, and small enough, in order. */
  fetch: WantedRelease[];
  /** Wanted, and larger than the room that is left. */
  noRoom: WantedRelease[];
}

/** Room is given by rank: what groups go to comes before floors and pins, these before the rest. */
export function planMirror({ wanted, held, limit }: MirrorSnapshot): MirrorPlan {
  const kept = new Set<Tree>();
  const plan: MirrorPlan = { drop: [], fetch: [], noRoom: [] };
  let taken = 0;
  for (const release of wanted.toSorted((a, b) => a.rank - b.rank)) {
    const tree = held.find((one) => isTreeOf(one, release));
    if (tree !== undefined && kept.has(tree)) continue; // two channels want the same
    const bytes = tree === undefined ? (release.bytes ?? 0) : treeBytes(tree);
    if (taken + bytes > limit) {
      plan.noRoom.push(release);
      continue;
    }
    taken += bytes;
    if (tree === undefined) plan.fetch.push(release);
    else kept.add(tree);
  }
  plan.drop = held.filter((tree) => !kept.has(tree)).map(({ digest }) => digest);
  return plan;
}

/** Whether a tree is this release, verified with a key that is still trusted. */
export function isTreeOf(tree: Tree, { version, variant, digest, keys }: WantedRelease): boolean {
  if (tree.version !== version || tree.variant !== variant) return false;
  return (
    (digest === undefined || tree.digest === digest) && keys.some((key) => keyFingerprint(key) === tree.key)
  );
}
