/** Closed set of what can go wrong when an image is made. */
export type ImageErrorCode =
  'ToolMissing' | 'ToolFailed' | 'PackageMissing' | 'PackageWrong' | 'WrongMachine';

/** An image could not be made; the message says what to do. */
export class ImageError extends Error {
  readonly code: ImageErrorCode;

  constructor(code: ImageErrorCode, message: string) {
    super(message);
    this.name = 'ImageError';
    this.code = code;
  }
}
