import { bytesOf, malformed, protobufFields, safe } from './protobuf.ts';

/** Where the data of an operation is, from the end of the manifest on, and what its digest is. */
export interface Operation {
  offset: number;
  length: number;
  /** SHA-256 of the data as stored; nothing where there is no data. */
  sha256: Buffer | undefined;
}

/** What a full payload makes: a partition, or what a procedure installs. */
export interface PartitionInfo {
  /** Bytes. */
  size: number;
  /** Raw SHA-256. */
  hash: Buffer;
}

/** What is checked of a DeltaArchiveManifest. */
export interface CrauManifest {
  /** In the order of their data. */
  operations: Operation[];
  /** From the end of the manifest on; the signed bytes end here. */
  signaturesOffset: number;
  signaturesSize: number;
  newPartition: PartitionInfo;
}

const REPLACE = 0;
const REPLACE_BZ = 1;
const BLOCK_SIZE = 4096;
const MAX_OPERATIONS = 262_144; // 1 MiB each: 256 GiB
const SHA256_BYTES = 32;

/** Reads the manifest of a full payload: one that needs nothing of what runs already. Throws PayloadMalformed. */
export function readManifest(bytes: Buffer): CrauManifest {
  const operations: Operation[] = [];
  const found: { offset?: number; size?: number; partition?: PartitionInfo } = {};
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1) operations.push(readOperation(bytesOf(value)));
    if (number === 3 && safe(value) !== BLOCK_SIZE) throw malformed('its blocks have not 4096 bytes');
    if (number === 4) found.offset = safe(value);
    if (number === 5) found.size = safe(value);
    if (number === 8) throw malformed('it is a delta; only full payloads can be mirrored');
    if (number === 9) found.partition = readPartition(bytesOf(value));
    if (number === 10) operations.push(...readProcedure(bytesOf(value)));
    if (operations.length > MAX_OPERATIONS) throw malformed('it has too many operations');
  }
  const { offset, size, partition } = found;
  if (offset === undefined || size === undefined || size === 0) throw malformed('it is not signed');
  if (partition === undefined) throw malformed('it does not say what it makes');
  return {
    operations: inOrder(operations, offset),
    signaturesOffset: offset,
    signaturesSize: size,
    newPartition: partition,
  };
}

/** Data of operations follow each other within the signed bytes; none is read twice. */
function inOrder(operations: Operation[], end: number): Operation[] {
  const withData = operations.filter(({ length }) => length > 0).toSorted((a, b) => a.offset - b.offset);
  let at = 0;
  for (const { offset, length } of withData) {
    if (offset < at || offset + length > end) throw malformed('data of an operation is misplaced');
    at = offset + length;
  }
  return withData;
}

function readOperation(bytes: Buffer): Operation {
  const operation: Operation = { offset: 0, length: 0, sha256: undefined };
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1 && ![REPLACE, REPLACE_BZ].includes(safe(value)))
      throw malformed('it has operations of a delta; only full payloads can be mirrored');
    if (number === 2) operation.offset = safe(value);
    if (number === 3) operation.length = safe(value);
    if (number === 8) operation.sha256 = digest(bytesOf(value));
  }
  if (operation.length > 0 && operation.sha256 === undefined) throw malformed('an operation has no digest');
  return operation;
}

function readProcedure(bytes: Buffer): Operation[] {
  const operations: Operation[] = [];
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 2) operations.push(readOperation(bytesOf(value)));
    if (number === 3) throw malformed('a procedure is a delta; only full payloads can be mirrored');
    if (operations.length > MAX_OPERATIONS) throw malformed('it has too many operations');
  }
  return operations;
}

function readPartition(bytes: Buffer): PartitionInfo {
  let size = 0;
  let hash: Buffer | undefined;
  for (const { number, value } of protobufFields(bytes)) {
    if (number === 1) size = safe(value);
    if (number === 2) hash = digest(bytesOf(value));
  }
  if (size === 0 || hash === undefined) throw malformed('it does not say what it makes');
  return { size, hash };
}

function digest(bytes: Buffer): Buffer {
  if (bytes.length !== SHA256_BYTES) throw malformed('a digest has not 32 bytes');
  return bytes;
}
