import { exitCodes } from '../wire/exit-code.ts';
import type { Update } from '../wire/read-response.ts';
import { DAY_MS, MINUTE_MS } from './units.ts';

/** What update_engine remembers of a payload over checks and reboots. */
export interface PayloadState {
  /** Of what was offered; another one resets the rest. */
  signature: string;
  /** How often all of it was fetched. */
  attempts: number;
  urlIndex: number;
  urlFailures: number;
  /** ms of machine time; 0: not backing off. */
  backoffUntil: number;
}

/** Before anything was offered. */
export const noPayload: PayloadState = {
  signature: '',
  attempts: 0,
  urlIndex: 0,
  urlFailures: 0,
  backoffUntil: 0,
};

const MAX_BACKOFF_DAYS = 16;
const BACKOFF_FUZZ_MS = 12 * 60 * MINUTE_MS;

/** Codes that speak against the URL itself; the next one is taken at once. */
const WRONG_CONTENT: readonly number[] = [
  exitCodes.PayloadHashMismatchError,
  exitCodes.PayloadSizeMismatchError,
  exitCodes.DownloadPayloadPubKeyVerificationError,
];
/** Codes that may pass: the URL is given some more tries. An answer other than 200 to a check counts as one. */
const MAY_PASS: readonly number[] = [exitCodes.Error, exitCodes.DownloadTransferError];

/** The state under this offer. */
export function offered(state: PayloadState, update: Update): PayloadState {
  const { urls, size, sha256, isDeltaPayload, maxFailureCountPerUrl, disablePayloadBackoff } = update;
  const signature = JSON.stringify([
    urls,
    size,
    sha256,
    isDeltaPayload,
    maxFailureCountPerUrl,
    disablePayloadBackoff,
  ]);
  return signature === state.signature && state.urlIndex < urls.length ? state : { ...noPayload, signature };
}

/** Whether the download has to wait, which the client reports as 3/9 with code 40. */
export function backsOff(state: PayloadState, update: Update, now: number): boolean {
  return !update.disablePayloadBackoff && !update.isDeltaPayload && state.backoffUntil > now;
}

/** All bytes were fetched: whatever fails from now on is the payload's fault. `random` is in [0, 1). */
export function fetched(state: PayloadState, update: Update, now: number, random: number): PayloadState {
  if (update.isDeltaPayload) return state;
  const attempts = state.attempts + 1;
  const days = Math.min(2 ** (attempts - 1), MAX_BACKOFF_DAYS);
  const wait = days * DAY_MS + (random - 0.5) * BACKOFF_FUZZ_MS;
  return { ...state, attempts, backoffUntil: update.disablePayloadBackoff ? 0 : now + wait };
}

/** The attempt ended with this code, without flags. */
export function spoilt(
  state: PayloadState,
  update: Update,
  code: number,
  now: number,
  random: number,
): PayloadState {
  if (WRONG_CONTENT.includes(code)) return nextUrl(state, update, now, random);
  if (!MAY_PASS.includes(code) && code < 2000) return state;
  const urlFailures = state.urlFailures + 1;
  if (urlFailures < update.maxFailureCountPerUrl) return { ...state, urlFailures };
  return nextUrl(state, update, now, random);
}

function nextUrl(state: PayloadState, update: Update, now: number, random: number): PayloadState {
  const urlIndex = state.urlIndex + 1;
  if (urlIndex < update.urls.length) return { ...state, urlIndex, urlFailures: 0 };
  return fetched({ ...state, urlIndex: 0, urlFailures: 0 }, update, now, random);
}
