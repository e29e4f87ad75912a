/** Builds the images into dist/images (or `--directory`) and says how large they are. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildImages } from '#images/build-images.ts';
import { endWithParent } from './parent.ts';
import { root } from './tool.ts';

endWithParent();
const { values } = parseArgs({
  options: { directory: { type: 'string', default: path.join(root, 'dist/images') } },
});
const { archives } = await buildImages({ directory: path.resolve(values.directory) });
console.log(JSON.stringify(archives, null, 1));
