/** `event@eventtype` of Omaha v3, with Nebraska's and CoreUpdate's own 800. */
const TYPES: Readonly<Record<number, string>> = {
  0: 'unknown',
  1: 'download complete',
  2: 'install complete',
  3: 'update complete',
  4: 'uninstall',
  5: 'download started',
  6: 'install started',
  9: 'new application install started',
  10: 'setup started',
  11: 'setup finished',
  12: 'update of application started',
  13: 'update download started',
  14: 'update download finished',
  15: 'update installer started',
  16: 'setup update begun',
  17: 'setup update complete',
  20: 'product registered',
  30: 'first check of OEM install',
  40: 'application command started',
  41: 'application command ended',
  100: 'setup failure',
  102: 'COM server failure',
  103: 'setup update failure',
  800: 'installed, waits to be completed',
};

/** `event@eventresult`. */
const RESULTS: Readonly<Record<number, string>> = {
  0: 'error',
  1: 'success',
  2: 'success, rebooted',
  3: 'success, browser restarted',
  4: 'cancelled',
  5: 'MSI error',
  6: 'other error',
  7: 'no update',
  8: 'installer of the system',
  9: 'update deferred',
  10: 'hand-off error',
};

/** "update download started: success". */
export function eventWords(type: number | undefined, result: number | undefined): string {
  return `${wordOf(TYPES, type)}: ${wordOf(RESULTS, result)}`;
}

function wordOf(words: Readonly<Record<number, string>>, number: number | undefined): string {
  if (number === undefined) return 'not said';
  return words[number] ?? `unknown (${number})`;
}
