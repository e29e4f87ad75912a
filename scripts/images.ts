/** Builds the images into dist/images (or `--directory`) and says how large they are. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildImages } from '#images/build-images.ts';
import { sizeReport } from '#images/size-report.ts';
import { endWithParent } from './parent.ts';
import { root } from './tool.ts';

endWithParent();
const { values } = parseArgs({
  options: { directory: { type: 'string', default: path.join(root, 'dist/images') } },
});
const { images } = await buildImages({ directory: path.resolve(values.directory) });
for (const { archive, bill } of images) {
  console.log(`${path.relative(root, archive.path)}\n${path.relative(root, bill)}`);
}
console.log(`\n${sizeReport(images)}`);
