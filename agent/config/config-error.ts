import { errnoOf } from '#agent/errno.ts';
import type { ConfigErrorCode } from '#api/config-errors.ts';

export interface ConfigErrorDetail {
  /** The path on the host that it is about. */
  path?: string | undefined;
  /** The system's name for it: `ENOSPC`. */
  errno?: string | undefined;
  cause?: unknown;
}

/** A configuration that cannot be applied, or not now; the message says what to do and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly path: string | undefined;
  readonly errno: string | undefined;

  constructor(code: ConfigErrorCode, message: string, { path, errno, cause }: ConfigErrorDetail = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.path = path;
    this.errno = errno;
  }
}

const BY_ERRNO: Record<string, readonly [ConfigErrorCode, string]> = {
  ENOSPC: ['NoSpace', 'the file system is full, of bytes or of inodes; make room'],
  EDQUOT: ['NoSpace', 'the quota of the file system is used up; make room'],
  EROFS: ['ReadOnly', 'the file system is read-only; make it writable'],
  EPERM: ['ReadOnly', 'it is immutable (lsattr) or the agent may not change it; make it changeable'],
  EACCES: ['ReadOnly', 'the agent may not change it; grant it the right'],
  ELOOP: ['SymlinkInPath', 'it is a symbolic link; name the place itself'],
  ENOTDIR: ['SymlinkInPath', 'a component of the path is not a directory; name the place itself'],
  EBUSY: ['BindMount', 'something is mounted on it; unmount it or leave it out'],
};

/** The system's error for `what` ("writing") at `path` as a `ConfigError`; one that is typed already stays. */
export function configErrorOf(error: unknown, what: string, path: string): ConfigError {
  if (error instanceof ConfigError) return error;
  const errno = errnoOf(error);
  const [code, advice] = BY_ERRNO[errno ?? ''] ?? ['IoError', 'check the disk and the kernel log'];
  return new ConfigError(code, `${what} ${path} failed (${errno ?? String(error)}): ${advice}`, {
    path,
    errno,
    cause: error,
  });
}
