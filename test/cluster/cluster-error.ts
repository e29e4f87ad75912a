/** What can go wrong with a test cluster. */
export type ClusterErrorCode =
  /** A binary could neither be found, downloaded nor built. */
  | 'BinaryMissing'
  /** A component ended, or did not become ready in time. */
  | 'ComponentFailed'
  /** The cluster is not ours to change (it was given by a kubeconfig). */
  | 'NotOurs';

/** An error of the test cluster; the message says what to do. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}
