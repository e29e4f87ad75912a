import type { Change } from './change.ts';
import type { Owned } from './owned.ts';
import { ABSENT, sameContent, sameState } from './state.ts';
import type { State } from './state.ts';

/**
 * What becomes of a path that nobody wants any more. Content that somebody else has put there since (an upgrade of
 * a package, a person) is left as it is: it is not Careen's to undo.
 */
export function planRemoval(item: Owned, disk: State): { change?: Change; left: boolean } {
  if (item.onRemove === 'Keep') return { left: false };
  if (!sameContent(disk, item.applied)) return { left: disk.type !== 'absent' };
  const after = item.onRemove === 'Restore' || item.before.type === 'directory' ? item.before : ABSENT;
  if (sameState(disk, after)) return { left: false };
  const { path, sensitive, from } = item;
  return { change: { path, before: disk, after, sensitive, from }, left: false };
}
