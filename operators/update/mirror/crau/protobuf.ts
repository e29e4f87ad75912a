import { MirrorError } from '../mirror-error.ts';

/** One field of a message: a number, or bytes of a string, of bytes or of a message. */
export interface ProtobufField {
  number: number;
  value: bigint | Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/**
 * The fields of a protobuf message in their order (https://protobuf.dev/programming-guides/encoding). Nothing is read
 * beyond `message`; nothing is copied. Throws PayloadMalformed.
 */
export function* protobufFields(message: Buffer): Generator<ProtobufField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index++) {
      const byte = message[at++];
      if (byte === undefined) throw malformed('a number ends early');
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a number has more than ten bytes');
  };
  const bytes = (length: number): Buffer => {
    if (length > message.length - at) throw malformed('a field ends beyond its message');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (number < 1 || number >= 2 ** 29) throw malformed('a field has no number');
    if (type === VARINT) yield { number, value: varint() };
    else if (type === BYTES) yield { number, value: bytes(safe(varint())) };
    else if (type === FIXED64) yield { number, value: bytes(8) };
    else if (type === FIXED32) yield { number, value: bytes(4) };
    else throw malformed(`wire type ${type}`);
  }
}

/** A field's number as far as it can be counted with. */
export function safe(value: bigint | Buffer): number {
  if (typeof value !== 'bigint' || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw malformed('a number is too large');
  return Number(value);
}

/** A field's bytes. */
export function bytesOf(value: bigint | Buffer): Buffer {
  if (typeof value === 'bigint') throw malformed('a number where bytes belong');
  return value;
}

export function malformed(problem: string): MirrorError {
  return new MirrorError(
    'PayloadMalformed',
    `the payload cannot be read (${problem}); fetch or build it again`,
  );
}
