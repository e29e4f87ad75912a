import { isKubeError } from '#runtime/client/error.ts';
import { PayloadError } from '../payload/payload-error.ts';
import { RecordError } from '../record/record-error.ts';
import { RebootError } from '../boot/host.ts';
import { SlotError } from '../slots/slot-error.ts';
import type { Failure } from '../record/record.ts';

const LONGEST = 1024;

/** An error in the words of status. */
export function failureOf(error: unknown): Failure {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST);
  if (error instanceof SlotError || error instanceof PayloadError) return { code: error.code, message };
  if (error instanceof RecordError) return { code: 'StateUnwritable', message };
  if (error instanceof RebootError) return { code: 'RebootFailed', message };
  return { code: 'Internal', message };
}

/** Whether the machine itself is at fault; an API server that does not answer is not a fault of the machine. */
export function isFault(error: unknown): boolean {
  return !isKubeError(error);
}
