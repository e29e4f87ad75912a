/** Milliseconds in a minute of the machine's time. */
export const MINUTE_MS = 60_000;
/** Milliseconds in a day of the machine's time. */
export const DAY_MS = 24 * 60 * MINUTE_MS;
