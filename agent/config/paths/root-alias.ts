import { posix } from 'node:path';
import { isWithin } from './host-path.ts';

/** Links that image-based distributions ship in the place of a directory: rpm-ostree's, and what others copied from it. */
const ALIASES: readonly (readonly [path: string, target: string])[] = [
  ['/home', '/var/home'],
  ['/opt', '/var/opt'],
  ['/root', '/var/roothome'],
  ['/srv', '/var/srv'],
  ['/usr/local', '/var/usrlocal'],
];

/** Under which other name a path may be reached on the host. */
export function aliasOf(path: string): string | undefined {
  const alias = ALIASES.find(([from]) => isWithin(path, from));
  return alias && alias[1] + path.slice(alias[0].length);
}

/**
 * `path` through the one link that is followed: that of a root which the distribution keeps elsewhere, and only to
 * where it is known to. `readLink` gives the target of a link of the host, undefined for what is none.
 */
export async function followAlias(
  path: string,
  readLink: (path: string) => Promise<string | undefined>,
): Promise<string> {
  for (const [alias, target] of ALIASES) {
    if (!isWithin(path, alias)) continue;
    const link = await readLink(alias);
    if (link !== undefined && posix.resolve(posix.dirname(alias), link) === target)
      return target + path.slice(alias.length);
  }
  return path;
}
