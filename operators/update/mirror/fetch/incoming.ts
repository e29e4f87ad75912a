/** Files that people put there by hand, in a folder for each version. */
export interface Incoming {
  /** Takes a copy of a file to `path`, if it has `size` bytes (any size unless told). Gives whether it was there. */
  take(version: string, name: string, path: string, size?: number): Promise<boolean>;
  /** The bytes of a small file, if it is there. */
  read(version: string, name: string, limit: number): Promise<Buffer | undefined>;
  /** It is not needed any more. */
  remove(version: string, name: string): Promise<void>;
}
