import path from 'node:path';
import type { SlotChange } from './slot-change.ts';

/** What mksquashfs is told, so that it makes a changed tree of one that must not change. */
export interface PseudoFiles {
  /** Definitions (`-pf`), in mksquashfs' own language; contents are files named by number. */
  definitions: string[];
  /** Paths of the tree that are not taken (`-ef`): removed or replaced. */
  excluded: string[];
  contents: string[];
}

/** Says `changes` to a tree in which `exists` in the words of mksquashfs. Of several to a path the last counts. */
export function pseudoFiles(all: readonly SlotChange[], exists: (path: string) => boolean): PseudoFiles {
  const changes = [...new Map(all.map((change) => [change.path, change])).values()];
  const contents: string[] = [];
  const definitions = changes.flatMap((change) => {
    if ('absent' in change) return [];
    if ('link' in change) return [`"${change.path}" s 777 0 0 ${change.link}`];
    contents.push(change.text);
    return [`"${change.path}" f ${(change.mode ?? 0o644).toString(8)} 0 0 cat ${contents.length - 1}`];
  });
  const directories = newDirectories(changes, exists).map((directory) => `"${directory}" d 755 0 0`);
  const excluded = changes.map((change) => change.path).filter(exists);
  return { definitions: [...directories, ...definitions], excluded, contents };
}

/** Parents come before what is in them. */
function newDirectories(changes: readonly SlotChange[], exists: (path: string) => boolean): string[] {
  const found = new Set<string>();
  for (const change of changes) {
    for (let at = path.dirname(change.path); at !== '.' && !exists(at); at = path.dirname(at)) found.add(at);
  }
  return [...found].toSorted();
}
