export type BusErrorCode = 'Unreachable' | 'NoAnswer' | 'Refused';

/**
 * A call over D-Bus that came to nothing. `Unreachable`: nobody listens at the socket. `NoAnswer`: somebody does,
 * and did not answer in time, or hung up; whether the call was carried out is not known. `Refused`: the answer was
 * the error `errorName`.
 */
export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;
  /** As in `org.freedesktop.systemd1.NoSuchUnit`; empty unless refused. */
  readonly errorName: string;

  constructor(code: BusErrorCode, message: string, errorName = '', cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.errorName = errorName;
  }
}

/** Names under which the bus says that the service asked for does not run and cannot be started. */
const ABSENT =
  /^org\.freedesktop\.(DBus\.Error\.(ServiceUnknown|NameHasNoOwner|Spawn\..+|TimedOut|NoReply)|systemd1\.(NoSuchUnit|UnitMasked|LoadFailed))$/;

/** Whether the service that was asked is not there at all, so that another way may be tried. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof BusError)) return false;
  return error.code !== 'Refused' || ABSENT.test(error.errorName);
}
