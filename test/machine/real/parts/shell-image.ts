import { copyFile, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { writeOciArchive } from '#images/oci/write-oci-archive.ts';
import type { SearchOptions } from '#test/cluster/binaries/search.ts';
import { findDebianTool } from './debian-tool.ts';
import { onceInCache } from './once-in-cache.ts';

const NAME = 'docker.io/library/busybox:1';
const APPLETS =
  'cat date dd echo env false grep head hostname id kill ls mkdir mount nc ps rm sed sh sleep stat sync tail test touch true umount wget'.split(
    ' ',
  );

/**
 * The OCI archive of `busybox:1`, for tests that need a shell in a pod. (Its wget cannot resolve names: the C
 * library is linked statically.)
 * @throws RealNodeError NotPossible without Debian's busybox-static
 */
export async function shellImage(options: Pick<SearchOptions, 'env'> = {}): Promise<string> {
  const busybox = await findDebianTool('busybox');
  const recipe = [NAME, busybox, ...APPLETS];
  return onceInCache(
    { prefix: 'image-busybox-', suffix: '.tar', recipe, env: options.env },
    async (target, work) => {
      const layer = path.join(work.path, 'layer');
      await mkdir(path.join(layer, 'bin'), { recursive: true });
      await mkdir(path.join(layer, 'tmp'));
      await copyFile(busybox, path.join(layer, 'bin/busybox'));
      for (const applet of APPLETS) await symlink('busybox', path.join(layer, 'bin', applet));
      const config = { entrypoint: [], cmd: ['/bin/sh'], env: ['PATH=/bin'] };
      await writeOciArchive({ path: target, name: NAME, layers: [{ directory: layer }], config });
    },
  );
}
