/** Why a request failed, as far as a caller can act on it. */
export type KubeErrorCode =
  | 'NotFound'
  | 'Conflict'
  | 'AlreadyExists'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Invalid'
  | 'TooManyRequests'
  | 'Gone'
  | 'Timeout'
  | 'Unavailable'
  | 'Unreachable'
  | 'Internal';

/** The API server's `Status` object, as much of it as careen reads. */
export interface KubeStatus {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { causes?: { reason?: string; message?: string }[]; retryAfterSeconds?: number };
}

export interface KubeErrorFields {
  code: KubeErrorCode;
  status?: number;
  reason?: string;
  causes?: { reason?: string; message?: string }[];
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * A request that failed. The message names the request and the server's own words, never a header or a
 * body, so it may be logged. `status` is 0 when no answer came.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly { reason?: string; message?: string }[];
  readonly retryAfterMs?: number;

  constructor(message: string, fields: KubeErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.status = fields.status ?? 0;
    this.reason = fields.reason ?? '';
    this.causes = fields.causes ?? [];
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }
}

export function isKubeError(error: unknown, code?: KubeErrorCode): error is KubeError {
  return error instanceof KubeError && (code === undefined || error.code === code);
}

const BY_STATUS: Record<number, KubeErrorCode> = {
  400: 'Invalid',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Invalid',
  415: 'Invalid',
  422: 'Invalid',
  429: 'TooManyRequests',
  502: 'Unavailable',
  503: 'Unavailable',
  504: 'Timeout',
};

function codeOf(status: number, reason: string): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'AlreadyExists';
  return BY_STATUS[status] ?? 'Internal';
}

/** The longest part of a server's message that is kept: enough to act on, too short to flood a log. */
const LONGEST_MESSAGE = 1000;

/** The error of an answer with the given HTTP status; `request` is what was asked, such as `GET /api/v1/nodes`. */
export function errorOfStatus(
  request: string,
  httpStatus: number,
  status: KubeStatus | undefined,
  retryAfterMs?: number,
): KubeError {
  const code = codeOf(httpStatus, status?.reason ?? '');
  const words = (status?.message ?? `HTTP ${httpStatus}`).slice(0, LONGEST_MESSAGE);
  const seconds = status?.details?.retryAfterSeconds;
  return new KubeError(`${request}: ${words}`, {
    code,
    status: httpStatus,
    reason: status?.reason ?? '',
    causes: status?.details?.causes ?? [],
    retryAfterMs: retryAfterMs ?? (seconds ? seconds * 1000 : undefined),
  });
}
