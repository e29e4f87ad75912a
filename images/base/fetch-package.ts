import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { cacheDirectory } from '#test/cluster/binaries/cache.ts';
import { guardedDirectory } from '#test/cluster/guardian.ts';
import { copyAtOnce } from '../oci/copy-at-once.ts';
import { ImageError } from '../oci/image-error.ts';
import { runTool } from '../oci/run-tool.ts';
import type { DebianPackage } from './debian-packages.ts';

/** A .deb at hand, with the version that it really has. */
export interface FetchedPackage {
  file: string;
  version: string;
  sha256: string;
  /** Of which distribution: `debian-12`. */
  distribution: string;
}

/** Where the pinned versions are from. */
const pinnedDistribution = 'debian-12';

/**
 * Takes a package from the cache, else from the archives that this machine's apt is set up with (which checks
 * Debian's signatures). Archives keep a version only until the next: when the pinned one is gone, the one that
 * they offer is taken, and `notice` is told that the image is another than everybody's.
 * @throws ImageError PackageMissing without apt or archive, PackageWrong when the checksum differs
 */
export async function fetchPackage(
  pin: DebianPackage,
  notice: (line: string) => void,
): Promise<FetchedPackage> {
  const kept = path.join(cacheDirectory(), 'debian', `${pin.sha256}.deb`);
  const known = { version: pin.version, sha256: pin.sha256, distribution: pinnedDistribution };
  if ((await checksum(kept)) === pin.sha256) return { ...known, file: kept };
  const found = await download(`${pin.name}=${pin.version}`).catch(() => undefined);
  if (found === undefined) return offered(pin, notice);
  if (found.sha256 !== pin.sha256) throw wrong(pin, found.sha256);
  return keep({ ...found, ...known }, kept);
}

/** Whatever the archives have now. */
async function offered(pin: DebianPackage, notice: (line: string) => void): Promise<FetchedPackage> {
  const found = await download(pin.name).catch((error: unknown) => {
    throw missing(pin, error);
  });
  notice(
    `${pin.name} ${pin.version} is not to be had any more: took ${found.version} (sha256 ${found.sha256}). ` +
      'Pin that one in images/base/debian-packages.ts.',
  );
  return keep(found, path.join(cacheDirectory(), 'debian', `${found.sha256}.deb`));
}

async function download(wanted: string): Promise<FetchedPackage> {
  const directory = await guardedDirectory('careen-debian-');
  // As root, apt would download as a user of its own, who cannot write to this directory.
  await runTool('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', wanted], {
    cwd: directory.path,
  });
  const [name = ''] = await readdir(directory.path);
  const file = path.join(directory.path, name);
  const version = await runTool('dpkg-deb', ['--field', file, 'Version']);
  return {
    file,
    version: version.trim(),
    sha256: (await checksum(file)) ?? '',
    distribution: await thisDistribution(),
  };
}

async function keep(found: FetchedPackage, file: string): Promise<FetchedPackage> {
  await copyAtOnce(found.file, file);
  return { ...found, file };
}

/** os-release(5) of this machine. */
async function thisDistribution(): Promise<string> {
  const { ID, VERSION_ID } = parseEnv(await readFile('/etc/os-release', 'utf8'));
  return `${ID}-${VERSION_ID}`;
}

async function checksum(file: string): Promise<string | undefined> {
  const content = await readFile(file).catch(() => undefined);
  return content && createHash('sha256').update(content).digest('hex');
}

function wrong(pin: DebianPackage, sha256: string): ImageError {
  return new ImageError(
    'PackageWrong',
    `${pin.name} ${pin.version} has the SHA-256 ${sha256}, not ${pin.sha256}: is this machine's archive Debian's?`,
  );
}

function missing(pin: DebianPackage, error: unknown): ImageError {
  return new ImageError(
    'PackageMissing',
    `cannot get Debian's package ${pin.name}: ${(error as Error).message}\nImages are made on Debian or one of ` +
      'its derivatives, with archives that can be reached (apt-get update).',
  );
}
