/** `app@status`. Clients do not read it; people do, in traces. */
export type AppStatus =
  'ok' | 'error-failedToRetrieveUpdatePackageInfo' | 'error-instanceRegistrationFailed' | 'error-internal';

/** `updatecheck@status`. Anything but the first two makes update_engine report an error (code 34). */
export type UpdateCheckStatus = 'ok' | 'noupdate' | 'error-internal' | 'error-unsupportedProtocol';
