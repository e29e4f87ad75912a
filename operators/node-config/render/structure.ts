import type { Won } from './claim.ts';
import type { PathValue } from './claims.ts';
import { describePath } from './describe.ts';
import type { Conflict } from './rendered.ts';

/**
 * Paths below one that is no directory. That is a conflict whatever the priorities are: they decide between two wishes
 * for one thing, and nobody said that the other thing is not wanted any more.
 */
export function conflictsBelow(paths: ReadonlyMap<string, Won<PathValue>>): Conflict[] {
  return [...paths.values()].flatMap((below) => {
    const above = ancestorOf(below.key, paths);
    if (above === undefined) return [];
    const what = `path ${below.key} below ${describePath(above.key, [above.value])}`;
    return [{ what, owners: [...new Set([...above.from, ...below.from])].toSorted() }];
  });
}

/** The nearest path above that is wanted as something other than a directory. */
function ancestorOf(path: string, paths: ReadonlyMap<string, Won<PathValue>>): Won<PathValue> | undefined {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const found = paths.get(path.slice(0, end));
    if (found !== undefined && found.value.kind !== 'directory') return found;
  }
  return undefined;
}
