/** What can go wrong with real nodes. */
export type RealNodeErrorCode =
  /** This computer, or the user, cannot run them. */
  | 'NotPossible'
  /** A program that makes disks, namespaces or links failed. */
  | 'ToolFailed'
  /** A node could not be started, or does not end. */
  | 'NodeFailed';

/** An error of real nodes; the message says what to do. */
export class RealNodeError extends Error {
  override readonly name = 'RealNodeError';
  readonly code: RealNodeErrorCode;

  constructor(code: RealNodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
