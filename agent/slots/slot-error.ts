import { errnoOf } from '#agent/errno.ts';
import type { UpdateErrorCode } from '#api/node-state.ts';

/** What can go wrong between the agent and its disk: the part of the api's error codes that slots speak. */
export type SlotErrorCode = Extract<
  UpdateErrorCode,
  | 'SlotTooSmall'
  | 'SlotBusy'
  | 'SlotRunning'
  | 'WrongDisk'
  | 'GptInvalid'
  | 'NoSlots'
  | 'ReadOnlyDevice'
  | 'DiskFull'
  | 'IoError'
>;

/** A disk or a slot that cannot be used as asked; the message says what to do. */
export class SlotError extends Error {
  override readonly name = 'SlotError';
  readonly code: SlotErrorCode;

  constructor(code: SlotErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

const BY_ERRNO: Record<string, readonly [SlotErrorCode, string]> = {
  EBUSY: ['SlotBusy', 'it is mounted or in use; unmount it'],
  EROFS: ['ReadOnlyDevice', 'it is read-only; make it writable'],
  EPERM: ['ReadOnlyDevice', 'it is read-only or the agent may not write to it; check both'],
  EACCES: ['ReadOnlyDevice', 'the agent may not write to it; grant it the right'],
  ENOSPC: ['DiskFull', 'the file system that holds it is full; make room'],
  EDQUOT: ['DiskFull', 'the quota of the file system that holds it is used up; make room'],
  ENOENT: ['WrongDisk', 'it does not exist; check the path'],
  ENXIO: ['WrongDisk', 'there is no device behind it; check the path'],
};

/** The system's error for `what` (`writing to /dev/sda4`) as a `SlotError`; one that is typed already stays. */
export function slotErrorOf(error: unknown, what: string): SlotError {
  if (error instanceof SlotError) return error;
  const errno = errnoOf(error) ?? '';
  const [code, advice] = BY_ERRNO[errno] ?? ['IoError', 'check the disk and the kernel log'];
  return new SlotError(code, `${what} failed (${errno || String(error)}): ${advice}`, error);
}
