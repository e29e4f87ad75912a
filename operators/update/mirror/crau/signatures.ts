import { constants, createPublicKey, publicDecrypt, type KeyObject } from 'node:crypto';
import { bytesOf, malformed, protobufFields } from './protobuf.ts';

/** Production payloads have two. */
const MAX_SIGNATURES = 16;
/** DigestInfo of SHA-256 before the digest itself (RFC 8017, section 9.2). */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** The raw signatures of a Signatures message. */
export function readSignatures(bytes: Buffer): Buffer[] {
  const signatures: Buffer[] = [];
  for (const { number, value } of protobufFields(bytes)) {
    if (number !== 1) continue;
    for (const inner of protobufFields(bytesOf(value))) {
      if (inner.number === 2) signatures.push(bytesOf(inner.value));
    }
    if (signatures.length > MAX_SIGNATURES) throw malformed('it has too many signatures');
  }
  return signatures;
}

/** The first of `keys` (PEM) that made one of the signatures over this SHA-256 (RSASSA-PKCS1-v1_5). */
export function signingKey(
  digest: Buffer,
  signatures: readonly Buffer[],
  keys: readonly string[],
): string | undefined {
  const expected = Buffer.concat([SHA256_INFO, digest]);
  return keys.find((pem) => {
    const key = createPublicKey(pem);
    return signatures.some((signature) => opened(key, signature)?.equals(expected));
  });
}

function opened(key: KeyObject, signature: Buffer): Buffer | undefined {
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return undefined; // made by another key
  }
}
