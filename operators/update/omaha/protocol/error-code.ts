/** `errorcode` of update_engine, without flags (its action_processor.h). */
const CODES: readonly string[] = [
  'Success',
  'Error',
  'OmahaRequestError',
  'OmahaResponseHandlerError',
  'FilesystemCopierError',
  'PostinstallRunnerError',
  'SetBootableFlagError',
  'InstallDeviceOpenError',
  'KernelDeviceOpenError',
  'DownloadTransferError',
  'PayloadHashMismatchError',
  'PayloadSizeMismatchError',
  'DownloadPayloadVerificationError',
  'DownloadNewPartitionInfoError',
  'DownloadWriteError',
  'NewRootfsVerificationError',
  'NewKernelVerificationError',
  'SignedDeltaPayloadExpectedError',
  'DownloadPayloadPubKeyVerificationError',
  'PostinstallBootedFromFirmwareB',
  'DownloadStateInitializationError',
  'DownloadInvalidMetadataMagicString',
  'DownloadSignatureMissingInManifest',
  'DownloadManifestParseError',
  'DownloadMetadataSignatureError',
  'DownloadMetadataSignatureVerificationError',
  'DownloadMetadataSignatureMismatch',
  'DownloadOperationHashVerificationError',
  'DownloadOperationExecutionError',
  'DownloadOperationHashMismatch',
  'OmahaRequestEmptyResponseError',
  'OmahaRequestXMLParseError',
  'DownloadInvalidMetadataSize',
  'DownloadInvalidMetadataSignature',
  'OmahaResponseInvalid',
  'OmahaUpdateIgnoredPerPolicy',
  'OmahaUpdateDeferredPerPolicy',
  'OmahaErrorInHTTPResponse',
  'DownloadOperationHashMissingError',
  'DownloadMetadataSignatureMissingError',
  'OmahaUpdateDeferredForBackoff',
  'PostinstallPowerwashError',
  'NewPCRPolicyVerificationError',
  'NewPCRPolicyHTTPError',
  'RollbackError',
];

const DOWNLOAD_INCOMPLETE = 100;
const HTTP = 2000;
const HTTP_UNKNOWN = 999;

const FLAGS: readonly (readonly [bit: number, word: string])[] = [
  [31, 'DevMode'],
  [30, 'Resumed'],
  [29, 'TestImage'],
  [28, 'TestOmahaUrl'],
];

/** The code of a machine that booted the new version and fell back to the old one. */
export const ROLLBACK = 44;

/** What went wrong with the check itself, not with what the machine was given. */
const OF_THE_CHECK: ReadonlySet<number> = new Set([2, 30, 31, 34, 37]);

/**
 * Whether the machine had no answer to its check, or none that it took: the server or the way to it was to blame, and no
 * release. update_engine tells so with its next check, though it may have been given a release in the answer it lost.
 */
export function isOfTheCheck({ code }: Pick<ErrorCode, 'code'>): boolean {
  return OF_THE_CHECK.has(code) || (code >= HTTP && code <= HTTP + HTTP_UNKNOWN);
}

export interface ErrorCode {
  /** Without flags. */
  code: number;
  /** The flags as a number: the bits above 27. */
  flags: number;
  /** The code's name, such as `RollbackError` or `HTTP 503`. */
  name: string;
  /** Names of the flags. `TestOmahaUrl` only says that the server is not the built-in one. */
  flagNames: readonly string[];
}

/** Decodes `event@errorcode`. A negative number is one of 32 bits with bit 31 set. */
export function decodeErrorCode(errorCode: number): ErrorCode {
  const bits = errorCode >>> 0;
  const code = bits & 0x0fff_ffff;
  const flagNames = FLAGS.filter(([bit]) => ((bits >>> bit) & 1) === 1).map(([, word]) => word);
  return { code, flags: (bits & ~0x0fff_ffff) >>> 0, name: nameOf(code), flagNames };
}

/** "RollbackError (44)", "HTTP 503 (2503)". */
export function errorWords({ name, code }: ErrorCode): string {
  return `${name} (${code})`;
}

function nameOf(code: number): string {
  const name = CODES[code];
  if (name !== undefined) return name;
  if (code === DOWNLOAD_INCOMPLETE) return 'DownloadIncomplete';
  if (code < HTTP || code > HTTP + HTTP_UNKNOWN) return 'Unknown';
  return code === HTTP + HTTP_UNKNOWN ? 'HTTP status unknown' : `HTTP ${code - HTTP}`;
}
