declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent } from 'undici';
  const constructor: typeof Agent;
  export default constructor;
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';
  const request: (
    this: Pick<Dispatcher, 'dispatch'>,
    options: Dispatcher.RequestOptions,
  ) => Promise<Dispatcher.ResponseData>;
  export default request;
}
