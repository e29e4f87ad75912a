import path from 'node:path';
import { root } from '#scripts/tool.ts';

/** Node as the pinned npm package `node` installs it: the binary of nodejs.org's release. */
export const nodeBinary = path.join(root, 'node_modules/node/bin/node');
