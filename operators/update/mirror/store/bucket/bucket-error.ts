/** What can go wrong with a bucket. */
export type BucketErrorCode =
  | 'Unreachable' // no answer, or one that says nothing
  | 'Busy' // it asks for fewer requests
  | 'CredentialsWrong'
  | 'AccessDenied'
  | 'BucketMissing'
  | 'RegionWrong'
  | 'ClockWrong'
  | 'CertificateUnknown'
  | 'Missing' // an object is gone
  | 'Changed' // an object is not the one that it was
  | 'Corrupt' // an object's bytes are not those that were stored
  | 'Refused'; // anything else that the server says no to

/** A bucket that does not do as it should; the message says what to do. It never holds credentials. */
export class BucketError extends Error {
  override readonly name = 'BucketError';
  readonly code: BucketErrorCode;

  constructor(code: BucketErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** Whether it is a bucket's error of one of these codes. */
export function isBucketError(error: unknown, ...codes: BucketErrorCode[]): error is BucketError {
  return error instanceof BucketError && codes.includes(error.code);
}

const ADVICE: Record<BucketErrorCode, string> = {
  Unreachable: 'does not answer; see that it runs, and that --s3-endpoint and the network policy are right',
  Busy: 'asks for fewer requests; it is tried again',
  CredentialsWrong: 'does not know the credentials; correct their Secret',
  AccessDenied: 'allows this account too little; it must list, read, write and delete below the prefix',
  BucketMissing: 'has no such bucket; make it, or correct --s3-bucket',
  RegionWrong: 'has the bucket in another region; correct --s3-region',
  ClockWrong: 'has another time than this machine; set the clocks',
  CertificateUnknown: 'has a certificate of an authority that is not known here; give its own with --s3-ca',
  Missing: 'has the object no more; it is fetched again',
  Changed: 'has another object in this place; it is fetched again',
  Corrupt: 'gives other bytes than were stored; the object is taken away and fetched again',
  Refused: 'refuses',
};

/** Codes of S3 and of its like, and of Node, by what they mean here. */
const MEANING: readonly (readonly [BucketErrorCode, RegExp])[] = [
  ['Busy', /^(SlowDown|ServiceUnavailable|TooManyRequests|RequestLimitExceeded|Throttl.*)$/],
  [
    'CredentialsWrong',
    /^(InvalidAccessKeyId|XAdminUserNotFound|SignatureDoesNotMatch|InvalidToken|ExpiredToken|TokenRefreshRequired|CredentialsProviderError)$/,
  ],
  ['BucketMissing', /^NoSuchBucket$/],
  ['RegionWrong', /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/],
  ['ClockWrong', /^RequestTimeTooSkewed$/],
  ['Missing', /^(NoSuchKey|NoSuchUpload|NotFound)$/],
  ['Changed', /^(PreconditionFailed|ConditionalRequestConflict)$/],
  ['Corrupt', /^(BadDigest|XAmzContentSHA256Mismatch)$/],
  [
    'CertificateUnknown',
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT.*|UNABLE_TO_.*|CERT_.*|ERR_TLS_CERT.*)$/,
  ],
  ['AccessDenied', /^(AccessDenied|AllAccessDisabled|AccountProblem)$/],
];

const BY_STATUS: Record<number, BucketErrorCode> = {
  401: 'CredentialsWrong',
  403: 'AccessDenied',
  404: 'Missing',
  412: 'Changed',
  429: 'Busy',
  503: 'Busy',
};

/** What an error of the client means. `where` names the bucket and its server. */
export function bucketError(error: unknown, where: string): BucketError {
  if (error instanceof BucketError) return error;
  const { name = '', code = '', message = '', $metadata } = error as ClientError;
  const status = $metadata?.httpStatusCode;
  const meaning = MEANING.find(([, pattern]) => pattern.test(name) || pattern.test(code))?.[0];
  const said = meaning ?? (status === undefined ? 'Unreachable' : (BY_STATUS[status] ?? byClass(status)));
  const detail = [code === '' ? name : code, message].filter((part) => part !== '' && part !== 'Error');
  return new BucketError(said, `${where} ${ADVICE[said]} (${detail.join(': ').slice(0, 300)})`, error);
}

/** The same words for what this program found itself. */
export function foundIn(code: BucketErrorCode, where: string, detail: string): BucketError {
  return new BucketError(code, `${where} ${ADVICE[code]} (${detail})`);
}

interface ClientError {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

function byClass(status: number): BucketErrorCode {
  return status >= 500 ? 'Unreachable' : 'Refused';
}
