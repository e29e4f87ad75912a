import { join, relative, sep } from 'node:path';

/** What the host calls a path that the agent sees below `hostRoot`. Throws a RangeError when it is not below it. */
export function pathOnHost(hostRoot: string, path: string): string {
  const below = relative(hostRoot, path);
  if (below === '..' || below.startsWith(`..${sep}`))
    throw new RangeError(`${path} is not below ${hostRoot}: the host does not see it`);
  return join('/', below);
}
