import type { SearchOptions } from '#test/cluster/binaries/search.ts';
import type { NodeParts } from '../node-parts.ts';
import type { Suite } from './debian-tree.ts';
import { findNodeBinaries } from './node-binaries.ts';
import { nodeImages } from './node-images.ts';
import { stateTree } from './os-tree.ts';

/**
 * Everything that a real node is made of besides its OS image; what is not in the cache yet is made.
 * `suite` is the release whose /etc and /var nodes start with; it should be that of their first OS image.
 */
export async function findNodeParts(
  suite: Suite = 'bookworm',
  options: Pick<SearchOptions, 'progress'> = {},
): Promise<NodeParts> {
  const binaries = await findNodeBinaries(options);
  const [state, { pause, shop }] = [await stateTree(suite, options), await nodeImages()];
  return { ...binaries, state, images: [pause, shop] };
}
