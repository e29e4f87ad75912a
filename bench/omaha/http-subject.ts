import type { HttpServer } from './http-server.ts';
import { RawPool } from './raw-pool.ts';
import type { Subject } from './subject.ts';

const APP = '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}';
const CHECK = '<ping active="1"></ping><updatecheck></updatecheck>';
const SETTLED = '<event eventtype="3" eventresult="2" previousversion=""></event>';
const DOWNLOADING = '<event eventtype="13" eventresult="1"></event>';

/** A server of groups `steady` and `held-<size>`, whose tracks are named like them, over HTTP. */
export class HttpSubject implements Subject {
  readonly #pool: RawPool;
  readonly #pass: (ms: number) => Promise<void>;

  readonly pid: number;

  constructor({ url, pid, pass }: HttpServer) {
    this.pid = pid;
    this.#pool = new RawPool(url, 64);
    this.#pass = pass;
  }

  steady(machine: number): Promise<unknown> {
    return this.#post('steady', machine, '2.0.0', CHECK + SETTLED);
  }

  held(size: number, machine: number): Promise<unknown> {
    return this.#post(`held-${size}`, 1_000_000 * String(size).length + machine, '1.0.0', CHECK + SETTLED);
  }

  event(machine: number): Promise<unknown> {
    return this.#post('eager', machine, '1.0.0', DOWNLOADING);
  }

  begin(machine: number): Promise<unknown> {
    return this.#post('eager', machine, '1.0.0', CHECK + SETTLED);
  }

  pass(ms: number): Promise<void> {
    return this.#pass(ms);
  }

  close(): void {
    this.#pool.close();
  }

  async #post(track: string, machine: number, version: string, inner: string): Promise<void> {
    const { status, text } = await this.#pool.post('/v1/update/', requestOf(track, machine, version, inner));
    if (status !== 200) throw new Error(`status ${status}: ${text}`);
    if (!text.includes('status="ok"')) throw new Error(`not an answer: ${text}`);
  }
}

/** What update_engine 0.4.10 sends. */
function requestOf(track: string, machine: number, version: string, inner: string): string {
  const id = machine.toString(16).padStart(32, '0');
  return `<?xml version="1.0" encoding="UTF-8"?>
<request protocol="3.0" version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="scheduler" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="${version}_x86_64"></os>
    <app appid="${APP}" version="${version}" track="${track}" bootid="{6f3c6ad3-0f5e-4b5c-9a69-0b7a0c3c2f11}" oem="azure" oemversion="2.9" alephversion="1.0.0" machineid="${id}" machinealias="" lang="en-US" board="amd64-usr" hardware_class="" delta_okay="false">
        ${inner}
    </app>
</request>
`;
}
