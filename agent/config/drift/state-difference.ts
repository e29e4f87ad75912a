import { sameContent } from '../plan/state.ts';
import type { State } from '../plan/state.ts';
import type { DriftKind } from './difference.ts';

/** How what stands at a path differs from what Careen put there, the gravest first; undefined: it does not. */
export function differenceOf(wanted: State, found: State): Exclude<DriftKind, 'Unit'> | undefined {
  if (found.type !== wanted.type) return found.type === 'absent' ? 'Missing' : 'Type';
  if (!sameContent(wanted, found)) return 'Content';
  if ('uid' in wanted && 'uid' in found && (wanted.uid !== found.uid || wanted.gid !== found.gid))
    return 'Owner';
  if ('mode' in wanted && 'mode' in found && wanted.mode !== found.mode) return 'Mode';
  return undefined;
}
