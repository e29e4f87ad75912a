import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign as signBytes,
  verify as verifyBytes,
  type KeyObject,
} from 'node:crypto';
import { PayloadError } from './payload-error.ts';

/**
 * Signatures in the format of minisign (https://jedisct1.github.io/minisign/#signature-format), prehashed:
 * Ed25519 over the BLAKE2b-512 of the file, then over that signature and the trusted comment.
 */
const PREHASHED = 'ED';
const KEY_ALGORITHM = 'Ed';
const UNENCRYPTED = '\0\0';
const CHECKSUM_ALGORITHM = 'B2';
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Size of a signature file beyond which it is not read. */
export const MAX_SIGNATURE_BYTES = 16 * 1024;

interface Signature {
  keyID: Buffer;
  signature: Buffer;
  trustedComment: Buffer;
  globalSignature: Buffer;
}

/**
 * Verifies the signature file `text` over `bytes` by whichever of `keys` (56 characters of base64 each) made
 * it, and returns its trusted comment. Throws `KeyUnknown` if none of them did, `SignatureInvalid` if the
 * file, the bytes or the comment were changed.
 */
export function verify(bytes: Uint8Array, text: string, keys: readonly string[]): string {
  const { keyID, signature, trustedComment, globalSignature } = parseSignature(text);
  const key = keys.map(parsePublicKey).find((candidate) => candidate.keyID.equals(keyID));
  if (!key) {
    throw new PayloadError(
      'KeyUnknown',
      `the manifest is signed by key ${idText(keyID)}, which is not trusted`,
    );
  }
  if (!verifyBytes(null, hash('blake2b512', bytes, 'buffer'), key.key, signature)) {
    throw invalid('it was not made over this manifest');
  }
  if (!verifyBytes(null, Buffer.concat([signature, trustedComment]), key.key, globalSignature)) {
    throw invalid('its trusted comment was changed');
  }
  return trustedComment.toString('utf8');
}

function parseSignature(text: string): Signature {
  const [untrusted, first, trusted, second, ...rest] = text
    .replaceAll('\r\n', '\n')
    .replace(/\n$/, '')
    .split('\n');
  const signed = decode(first, 74);
  const globalSignature = decode(second, 64);
  if (
    !untrusted?.startsWith('untrusted comment: ') ||
    !trusted?.startsWith('trusted comment: ') ||
    rest.length > 0
  ) {
    throw invalid('it is not a minisign signature file');
  }
  if (signed.toString('latin1', 0, 2) !== PREHASHED)
    throw invalid('it is not prehashed; sign with minisign 0.10 or later');
  return {
    keyID: signed.subarray(2, 10),
    signature: signed.subarray(10),
    trustedComment: Buffer.from(trusted.slice('trusted comment: '.length)),
    globalSignature,
  };
}

function parsePublicKey(text: string): { keyID: Buffer; key: KeyObject } {
  const bytes = Buffer.from(text, 'base64');
  if (
    bytes.length !== 42 ||
    bytes.toString('latin1', 0, 2) !== KEY_ALGORITHM ||
    bytes.toString('base64') !== text
  ) {
    throw new PayloadError(
      'KeyUnknown',
      `"${text.slice(0, 60)}" is not a minisign public key; correct the channel's keys`,
    );
  }
  const key = createPublicKey({
    key: Buffer.concat([SPKI, bytes.subarray(10)]),
    format: 'der',
    type: 'spki',
  });
  return { keyID: bytes.subarray(2, 10), key };
}

function decode(base64: string | undefined, length: number): Buffer {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (bytes.length !== length || bytes.toString('base64') !== base64)
    throw invalid('it is not a minisign signature file');
  return bytes;
}

/** Key ids are printed as one little-endian number. */
function idText(keyID: Buffer): string {
  return keyID.readBigUInt64LE().toString(16).toUpperCase().padStart(16, '0');
}

function invalid(problem: string): PayloadError {
  return new PayloadError(
    'SignatureInvalid',
    `the manifest's signature does not hold: ${problem}; sign it again`,
  );
}

/** A new key pair: the public key as 56 characters, the secret one as the text of an unencrypted key file. */
export function generateKey(): { publicKey: string; secretKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8.length);
  const point = publicPoint(privateKey);
  const keyID = randomBytes(8);
  const secret = Buffer.concat([
    Buffer.from(KEY_ALGORITHM + UNENCRYPTED + CHECKSUM_ALGORITHM, 'latin1'),
    Buffer.alloc(48), // salt and limits of the key derivation that there is not
    keyID,
    seed,
    point,
    Buffer.alloc(32), // checksum, of encrypted keys only
  ]);
  return {
    publicKey: Buffer.concat([Buffer.from(KEY_ALGORITHM), keyID, point]).toString('base64'),
    secretKey: `untrusted comment: minisign secret key ${idText(keyID)}\n${secret.toString('base64')}\n`,
  };
}

function publicPoint(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}

/** Signature file over `bytes` by an unencrypted secret key file's text; throws a RangeError for any other key. */
export function sign(bytes: Uint8Array, secretKey: string, trustedComment: string): string {
  const secret = Buffer.from(secretKey.trim().split('\n')[1] ?? '', 'base64');
  if (secret.length !== 158 || secret.toString('latin1', 0, 4) !== KEY_ALGORITHM + UNENCRYPTED) {
    throw new RangeError(
      'not an unencrypted minisign secret key; make one with --generate-key or minisign -G -W',
    );
  }
  if (/[\r\n]/.test(trustedComment)) throw new RangeError('a trusted comment is one line');
  const keyID = secret.subarray(54, 62);
  const der = Buffer.concat([PKCS8, secret.subarray(62, 94)]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const signature = signBytes(null, hash('blake2b512', bytes, 'buffer'), key);
  const global = signBytes(null, Buffer.concat([signature, Buffer.from(trustedComment)]), key);
  return [
    `untrusted comment: signature from key ${idText(keyID)}`,
    Buffer.concat([Buffer.from(PREHASHED), keyID, signature]).toString('base64'),
    `trusted comment: ${trustedComment}`,
    `${global.toString('base64')}\n`,
  ].join('\n');
}
