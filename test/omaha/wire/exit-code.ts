/** Why an update failed or was put off: update_engine's ActionExitCode, as far as a client can come to them. */
export const exitCodes = {
  Success: 0,
  Error: 1,
  OmahaRequestError: 2,
  FilesystemCopierError: 4,
  PostinstallRunnerError: 5,
  DownloadTransferError: 9,
  PayloadHashMismatchError: 10,
  PayloadSizeMismatchError: 11,
  NewRootfsVerificationError: 15,
  DownloadPayloadPubKeyVerificationError: 18,
  OmahaRequestEmptyResponseError: 30,
  OmahaRequestXMLParseError: 31,
  OmahaResponseInvalid: 34,
  OmahaUpdateDeferredForBackoff: 40,
  RollbackError: 44,
} as const;

/** Their names. */
export type ExitCodeName = keyof typeof exitCodes;

/** 2000 + the HTTP status of a check that was refused; 2000 where no answer came at all. */
const HTTP_BASE = 2000;
/** What a status that cannot be one becomes. */
const ODD_STATUS = 999;

/** Bits above the code itself. */
export const exitFlags = { DevMode: 2 ** 31, Resumed: 2 ** 30, TestImage: 2 ** 29, TestOmahaUrl: 2 ** 28 };

/** The code of a check that ended with `status`, which is 0 without an answer. */
export function httpExitCode(status: number): number {
  return HTTP_BASE + (status < 0 || status >= 1000 ? ODD_STATUS : status);
}

/** What goes over the wire: a C `%d`, so the highest bit makes it negative. */
export function wireCode(code: number, flags: number): number {
  return (code + flags) | 0;
}
