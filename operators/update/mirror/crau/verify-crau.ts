import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { MirrorError } from '../mirror-error.ts';
import { readManifest, type CrauManifest, type Operation, type PartitionInfo } from './manifest.ts';
import { malformed } from './protobuf.ts';
import { readSignatures, signingKey } from './signatures.ts';

/** A payload of update_engine that was verified as a whole. */
export interface VerifiedCrau {
  /** The key (PEM) that signed it. */
  key: string;
  operations: number;
  newPartition: PartitionInfo;
}

const HEADER_BYTES = 20;
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;
const MAX_SIGNATURES_BYTES = 64 * 1024;
const READ_BYTES = 1024 * 1024;

/**
 * Verifies a payload file as update_engine does, but for unpacking: header, manifest, the digest of each operation's
 * data, and an RSA signature by one of `keys` over all bytes before the signatures, with which the file ends. Reads it
 * once, in pieces. Throws MirrorError: PayloadMalformed, PayloadCorrupt, KeyUnknown.
 */
export async function verifyCrau(path: string, keys: readonly string[]): Promise<VerifiedCrau> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = await readHead(file, size);
    const { operations, newPartition, signaturesOffset, signaturesSize } = head.manifest;
    const signed = createHash('sha256').update(head.bytes);
    await digestData(file, head, signed);
    const end = head.bytes.length + signaturesOffset;
    if (end + signaturesSize !== size) throw malformed('its signatures are not at its end');
    if (signaturesSize > MAX_SIGNATURES_BYTES) throw malformed('its signatures are too large');
    const signatures = readSignatures(await exactly(file, end, signaturesSize));
    const key = signingKey(signed.digest(), signatures, keys);
    if (key === undefined) throw unknownKey(signatures.length);
    return { key, operations: operations.length, newPartition };
  } finally {
    await file.close();
  }
}

interface Head {
  /** Header and manifest as they are. */
  bytes: Buffer;
  manifest: CrauManifest;
}

async function readHead(file: FileHandle, size: number): Promise<Head> {
  if (size < HEADER_BYTES) throw malformed('it has no header');
  const header = await exactly(file, 0, HEADER_BYTES);
  if (header.toString('latin1', 0, 4) !== 'CrAU') throw malformed('it does not begin with CrAU');
  if (header.readBigUInt64BE(4) !== 1n) throw malformed('its version is not 1');
  const length = header.readBigUInt64BE(12);
  if (length > MAX_MANIFEST_BYTES || Number(length) > size - HEADER_BYTES)
    throw malformed('its manifest is too large');
  const manifest = await exactly(file, HEADER_BYTES, Number(length));
  return { bytes: Buffer.concat([header, manifest]), manifest: readManifest(manifest) };
}

/** Feeds all data before the signatures to `signed`, and that of each operation to a digest of its own. */
async function digestData(file: FileHandle, { bytes, manifest }: Head, signed: Hash): Promise<void> {
  let at = 0;
  for (const operation of [...manifest.operations, undefined]) {
    const start = operation?.offset ?? manifest.signaturesOffset;
    await digestRange(file, bytes.length, at, start, [signed]);
    at = start;
    if (operation === undefined) return;
    const own = createHash('sha256');
    await digestRange(file, bytes.length, at, at + operation.length, [signed, own]);
    at += operation.length;
    if (operation.sha256?.equals(own.digest()) !== true) throw corrupt(operation);
  }
}

async function digestRange(
  file: FileHandle,
  base: number,
  from: number,
  to: number,
  hashes: Hash[],
): Promise<void> {
  for (let at = from; at < to; at += READ_BYTES) {
    const part = await exactly(file, base + at, Math.min(READ_BYTES, to - at));
    for (const hash of hashes) hash.update(part);
  }
}

async function exactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw malformed('it ends early');
    done += bytesRead;
  }
  return buffer;
}

function corrupt({ offset }: Operation): MirrorError {
  const message = `the payload is corrupt: data at ${offset} has another digest than its manifest says`;
  return new MirrorError('PayloadCorrupt', `${message}; fetch or build it again`);
}

function unknownKey(count: number): MirrorError {
  const message = `none of the payload's ${count} signatures is by a key of the channel`;
  return new MirrorError(
    'KeyUnknown',
    `${message}; add the right key to spec.keys (PEM), or do not trust the payload`,
  );
}
