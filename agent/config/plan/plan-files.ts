import { dirname } from 'node:path';
import { ConfigError } from '../config-error.ts';
import type { Change } from './change.ts';
import type { Owned } from './owned.ts';
import { planRemoval } from './plan-removal.ts';
import { sameContent, sameState } from './state.ts';
import type { State } from './state.ts';
import type { Wanted } from './wanted.ts';

export interface FileWorld {
  /** Sorted by path. */
  wanted: readonly Wanted[];
  /** What Careen has put on this disk. */
  owned: readonly Owned[];
  /** What stands at a path now. */
  disk: (path: string) => State;
}

/** What to change on the disk, in order, and whose everything is afterwards. */
export interface FilePlan {
  /** What is made or replaced, a directory before what is in it; then what goes, a directory after. */
  changes: readonly Change[];
  /** What Careen owns once the changes are made. */
  owned: readonly Owned[];
  /** Paths that are given up as they are, because others have changed them. */
  left: readonly string[];
  /** Of the files that are wanted. */
  contents: ReadonlyMap<string, Buffer>;
}

/** Decides what brings the disk from what it is to what is wanted. Throws `TargetBusy`. */
export function planFiles({ wanted, owned, disk }: FileWorld): FilePlan {
  const before = new Map(owned.map((item) => [item.path, item]));
  const all = withParents(wanted, before, disk);
  const steps = all.map((item) => planWanted(item, before.get(item.path), disk(item.path)));
  const kept = new Set(all.map(({ path }) => path));
  const removals = owned
    .filter(({ path }) => !kept.has(path))
    .toSorted((a, b) => (a.path < b.path ? 1 : -1))
    .map((item) => ({ path: item.path, ...planRemoval(item, disk(item.path)) }));
  return {
    changes: [...steps, ...removals].flatMap(({ change }) => change ?? []),
    owned: steps.map(({ owned: item }) => item),
    left: removals.flatMap(({ path, left }) => (left ? [path] : [])),
    contents: new Map(wanted.flatMap(({ path, content }) => (content ? [[path, content] as const] : []))),
  };
}

function planWanted(item: Wanted, was: Owned | undefined, disk: State): { owned: Owned; change?: Change } {
  const { path, state, onRemove, drift, sensitive, from } = item;
  const before = preimage(was, disk);
  const owned = { path, applied: state, before, onRemove, drift, sensitive, from };
  if (sameState(disk, state)) return { owned };
  checkWay(item, was, disk);
  // What was secret before is not shown because it no longer is.
  const masked = sensitive || (was?.sensitive ?? false);
  return { owned, change: { path, before: disk, after: state, owned, sensitive: masked, from } };
}

/**
 * What is restored one day: what Careen found when it came, or what took its place since, as a package does with a
 * file of its own when it is upgraded.
 */
function preimage(was: Owned | undefined, disk: State): State {
  if (was === undefined) return disk;
  const isForeign = (disk.type === 'file' || disk.type === 'link') && !sameContent(disk, was.applied);
  return isForeign && was.before.type !== 'absent' ? disk : was.before;
}

/** Only what can be put back whole is taken over; what has come into the place of our own may go. */
function checkWay({ path, state }: Wanted, was: Owned | undefined, disk: State): void {
  const away = (what: string) =>
    new ConfigError('TargetBusy', `${path} is ${what}: move it away, or name another path`, { path });
  if (state.type === 'directory') {
    if (disk.type === 'directory' || disk.type === 'absent') return;
    throw away(`a ${disk.type === 'other' ? disk.what : disk.type} where a directory is wanted`);
  }
  if (was !== undefined) return;
  if (disk.type === 'directory') throw away(`a directory where a ${state.type} is wanted`);
  if (disk.type === 'other') throw away(`a ${disk.what} where a ${state.type} is wanted`);
}

/** With the directories on the way that Careen has to make, or has made; nobody asked for an owner or a mode. */
function withParents(
  wanted: readonly Wanted[],
  owned: ReadonlyMap<string, Owned>,
  disk: (path: string) => State,
): Wanted[] {
  const all = new Map(wanted.map((item) => [item.path, item]));
  for (const { path, from } of wanted) {
    for (let parent = dirname(path); parent !== '/'; parent = dirname(parent)) {
      if (all.has(parent)) continue;
      const state = disk(parent);
      if (state.type === 'absent' || owned.has(parent))
        all.set(parent, impliedDirectory(parent, state, from));
    }
  }
  return [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function impliedDirectory(path: string, disk: State, from: readonly string[]): Wanted {
  const state =
    disk.type === 'directory' ? disk : ({ type: 'directory', mode: 0o755, uid: 0, gid: 0 } as const);
  return { path, state, sensitive: false, critical: false, onRemove: 'Delete', drift: 'Ignore', from };
}
