import path from 'node:path';

/** The root of the repository. */
export const root = path.join(import.meta.dirname, '..');

/** A program of node_modules, run by the Node that runs us: most name any `node` of the path in their first line. */
export function tool(name: string, args: readonly string[]): [command: string, args: string[]] {
  return [process.execPath, [path.join(root, 'node_modules/.bin', name), ...args]];
}
