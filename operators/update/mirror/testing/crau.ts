import { createHash, generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto';

/** A key pair of update_engine's kind. */
export interface UpdateKey {
  /** PEM, as it stands in `spec.keys`. */
  pem: string;
  privateKey: KeyObject;
}

export function newUpdateKey(): UpdateKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { pem: publicKey.export({ type: 'spki', format: 'pem' }), privateKey };
}

/** One operation's data, as stored: raw (0) or packed with bzip2 (1). */
export interface CrauOperation {
  type: number;
  data: Buffer;
  /** Blocks of 4096 bytes that it makes. */
  blocks: number;
}

export interface CrauOptions {
  keys: readonly UpdateKey[];
  operations: readonly CrauOperation[];
  /** Of the partition that it makes. */
  partition: { size: number; hash: Buffer };
  /** Fields of the manifest that come first, for hostile payloads. */
  extra?: Buffer | undefined;
}

/** Writes a payload as update_engine's generator does. For tests. */
export function crau({ keys, operations, partition, extra = Buffer.alloc(0) }: CrauOptions): Buffer {
  const data = Buffer.concat(operations.map((operation) => operation.data));
  const size = signatureBytes(keys.map(() => Buffer.alloc(256))).length;
  const manifest = Buffer.concat([
    extra,
    ...operationFields(operations),
    number(4, data.length),
    number(5, size),
    bytes(9, Buffer.concat([number(1, partition.size), bytes(2, partition.hash)])),
  ]);
  const header = Buffer.alloc(20);
  header.write('CrAU');
  header.writeBigUInt64BE(1n, 4);
  header.writeBigUInt64BE(BigInt(manifest.length), 12);
  const signed = Buffer.concat([header, manifest, data]);
  const signatures = keys.map(({ privateKey }) => sign('RSA-SHA256', signed, privateKey));
  return Buffer.concat([signed, signatureBytes(signatures)]);
}

/** A payload of raw blocks that makes `content`. */
export function rawCrau(content: Buffer, keys: readonly UpdateKey[]): Buffer {
  const chunk = 1024 * 1024;
  const operations = Array.from({ length: Math.ceil(content.length / chunk) }, (_, index) => {
    const data = content.subarray(index * chunk, (index + 1) * chunk);
    return { type: 0, data, blocks: Math.ceil(data.length / 4096) };
  });
  const partition = { size: content.length, hash: hash('sha256', content, 'buffer') };
  return crau({ keys, operations, partition });
}

/** A package entry of a build, for a file with this content. */
export function packageOf(name: string, content: Buffer) {
  const digest = (algorithm: string) => createHash(algorithm).update(content).digest('base64');
  return { name, size: content.length, sha1: digest('sha1'), sha256: digest('sha256'), required: true };
}

function operationFields(operations: readonly CrauOperation[]): Buffer[] {
  let [offset, block] = [0, 0];
  return operations.map(({ type, data, blocks }) => {
    const field = bytes(
      1,
      Buffer.concat([
        number(1, type),
        number(2, offset),
        number(3, data.length),
        bytes(6, Buffer.concat([number(1, block), number(2, blocks)])),
        bytes(8, hash('sha256', data, 'buffer')),
      ]),
    );
    offset += data.length;
    block += blocks;
    return field;
  });
}

function signatureBytes(signatures: readonly Buffer[]): Buffer {
  return Buffer.concat(
    signatures.map((signature) => bytes(1, Buffer.concat([number(1, 2), bytes(2, signature)]))),
  );
}

/** A field that is a number. */
export function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A field of bytes. */
export function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const parts: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) parts.push((value % 128) + 128);
  return Buffer.from([...parts, value]);
}
