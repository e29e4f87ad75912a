import { homedir } from 'node:os';
import path from 'node:path';

/** Where built and downloaded programs are kept: `careen` in the user's cache directory. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  // The base directory specification: a relative path is to be ignored.
  return path.join(
    base !== undefined && path.isAbsolute(base) ? base : path.join(homedir(), '.cache'),
    'careen',
  );
}
