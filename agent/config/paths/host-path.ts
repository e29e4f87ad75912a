/** Linux's PATH_MAX and NAME_MAX, in bytes; PATH_MAX counts the NUL at the end. */
const MAX_PATH = 4095;
const MAX_NAME = 255;

/**
 * Why `path` is not the one way to write a path of the host; undefined when it is.
 *
 * Only printable ASCII: in `／etc` or `e\u0301` two different names look alike, and the one that is reviewed must be
 * the one that is written.
 */
export function pathFault(path: string): string | undefined {
  if (!path.startsWith('/')) return 'it is not absolute';
  if (!/^[ -~]*$/.test(path)) return 'it has a character that is not printable ASCII';
  if (path.length > MAX_PATH) return `it is longer than ${MAX_PATH} bytes`;
  if (path === '/') return 'it is the root directory';
  for (const name of namesOf(path)) {
    if (name === '') return 'it has an empty component ("//" or a "/" at the end)';
    if (name === '.' || name === '..') return `it has the component "${name}"`;
    if (name.length > MAX_NAME) return `it has a component longer than ${MAX_NAME} bytes`;
  }
  return undefined;
}

/** The components of an absolute path: `/etc/motd` has `etc` and `motd`. */
export function namesOf(path: string): string[] {
  return path.slice(1).split('/');
}

/** Whether `path` is `ancestor` or below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}
