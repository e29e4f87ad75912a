/** A failure that trying again cannot mend: the key is left alone until something changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
