import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeOciArchive } from '#images/oci/write-oci-archive.ts';
import type { SearchOptions } from '#test/cluster/binaries/search.ts';
import { debianTool } from './debian-tool.ts';
import { onceInCache } from './once-in-cache.ts';

/** OCI archives of the images that every real node has; each holds one static program of a few hundred KB. */
export interface NodeImages {
  /** `localhost/pause:1`, which containerd's configuration names. */
  pause: string;
  /** `docker.io/library/shop:1`: answers on port 8080 (`args` names another), ends at once on SIGTERM. */
  shop: string;
}

const names = { pause: 'localhost/pause:1', shop: 'docker.io/library/shop:1' } as const;

/**
 * The images of the pause container and of the tests' workload, from the cache, else compiled.
 * @throws RealNodeError NotPossible without a C compiler
 */
export async function nodeImages(options: Pick<SearchOptions, 'env'> = {}): Promise<NodeImages> {
  const [pause, shop] = await Promise.all([
    programImage('pause', options.env),
    programImage('shop', options.env),
  ]);
  return { pause, shop };
}

async function programImage(program: keyof typeof names, env?: NodeJS.ProcessEnv): Promise<string> {
  const source = path.join(import.meta.dirname, 'programs', `${program}.c`);
  const recipe = [names[program], ...compile(`${program}.c`, program), await readFile(source, 'utf8')];
  return onceInCache({ prefix: `image-${program}-`, suffix: '.tar', recipe, env }, async (target, work) => {
    const layer = path.join(work.path, 'layer');
    await mkdir(layer);
    await debianTool('gcc', compile(source, path.join(layer, program)), { within: work.cleanup });
    const config = { entrypoint: [`/${program}`] };
    await writeOciArchive({ path: target, name: names[program], layers: [{ directory: layer }], config });
  });
}

function compile(source: string, target: string): string[] {
  return ['-static', '-Os', '-s', '-Wall', '-Werror', '-o', target, source];
}
