import type { Build } from '#api/build.ts';
import type { Manifest, Package } from '../protocol/response.ts';

/** A build as Omaha describes it. */
export function manifestOf(version: string, { packages }: Build): Manifest {
  return {
    version,
    packages: packages.map((file, index) => packageOf(file, index === 0)),
    sha256: packages[0]?.sha256 ?? '',
    // The server gives out places; a machine that waits for days on its own account would only hold one.
    disablePayloadBackoff: true,
  };
}

/** The digest of the payload stands in the action already; further files have it with their name, in hex. */
function packageOf(
  { name, size, sha1, sha256, required }: Build['packages'][number],
  isPayload: boolean,
): Package {
  const hex = Buffer.from(sha256, 'base64').toString('hex');
  return { name, size, sha1, sha256: isPayload && sha1 !== undefined ? undefined : hex, required };
}
