import { request } from 'node:https';
import type { KeyPair } from './pki.ts';

/** The little that the cluster itself asks of its API server, as administrator. */
export class AdminClient {
  readonly #url: string;
  readonly #caPem: string;
  readonly #admin: KeyPair;

  constructor(url: string, caPem: string, admin: KeyPair) {
    this.#url = url;
    this.#caPem = caPem;
    this.#admin = admin;
  }

  /** Whether GET of `path` is answered with 200 within two seconds. */
  answers(path: string): Promise<boolean> {
    return new Promise((resolve) => {
      const options = { ca: this.#caPem, ...this.#admin, agent: false, timeout: 2000 };
      const call = request(`${this.#url}${path}`, options, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      call.on('timeout', () => call.destroy());
      call.on('error', () => resolve(false));
      call.end();
    });
  }
}
