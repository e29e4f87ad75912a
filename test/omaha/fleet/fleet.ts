import { ScaledClock, type Clock } from '../client/clock.ts';
import { httpDownload, noDownload, type Download } from '../client/download.ts';
import { HttpTransport } from '../client/transport.ts';
import type { Happening } from '../client/update-engine.ts';
import { exitFlags } from '../wire/exit-code.ts';
import type { Dialect, Identity } from '../wire/request.ts';
import { goodFortune, type Fortunes } from './fate.ts';
import { Machine, promptReboot, type RebootHabit, type Turn } from './machine.ts';
import { Tally, type FleetReport } from './tally.ts';

/** Flatcar Container Linux. */
export const FLATCAR_APP = '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}';
const PUBLIC_SERVER = 'https://public.update.flatcar-linux.net/v1/update/';

export interface FleetOptions {
  /** Of the Omaha endpoint, such as `http://127.0.0.1:8080/v1/update/`. */
  url: string;
  machines: number;
  /** Machine ids, timing and fates are the same for the same seed. */
  seed?: string | undefined;
  /** The machines' time runs so much faster; 1 unless told. */
  speed?: number | undefined;
  dialect?: Dialect | undefined;
  /** What machines say of themselves; an alias `edge` becomes `edge-17`. */
  identity?: Partial<Identity> | undefined;
  fortunes?: Partial<Fortunes> | undefined;
  reboot?: Partial<RebootHabit> | undefined;
  /** Whether payloads are really fetched and checked; true unless told. */
  download?: boolean | undefined;
  /** To the server at once. */
  connections?: number | undefined;
  /** Gives each machine an address of 10.0.0.0/8 in X-Forwarded-For. */
  addresses?: boolean | undefined;
  /** Hears everything. */
  tell?: ((machine: Machine, what: Happening | Turn) => void) | undefined;
}

/** Any number of machines that poll one Omaha server. */
export class Fleet {
  readonly machines: readonly Machine[];
  readonly #tally = new Tally();
  readonly #transport: HttpTransport;
  readonly #end = new AbortController();
  readonly #clock: Clock;
  #running: Promise<void[]> | undefined;

  constructor(options: FleetOptions) {
    this.#clock = new ScaledClock(options.speed ?? 1);
    const download = options.download === false ? noDownload : httpDownload(this.#clock);
    this.#transport = new HttpTransport(options);
    this.machines = Array.from({ length: options.machines }, (_, index) =>
      this.#machine(options, index, download),
    );
  }

  /** Switches all machines on. */
  start(): this {
    this.#running ??= Promise.all(this.machines.map((machine) => machine.run(this.#end.signal)));
    return this;
  }

  report(): FleetReport {
    return this.#tally.report(this.machines);
  }

  /** Whether each machine that is still there runs `version`. */
  allRun(version: string): boolean {
    return this.machines.every((machine) => machine.vanished || machine.version === version);
  }

  /** Switches all machines off. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
    await this.#transport.close();
  }

  #machine(options: FleetOptions, index: number, download: Download): Machine {
    const forwardedFor = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    const transport = options.addresses === true ? this.#transport.from(forwardedFor) : this.#transport;
    return new Machine({
      index,
      seed: options.seed ?? 'careen',
      identity: identityOf(options.identity ?? {}, index),
      dialect: options.dialect ?? 'update_engine',
      transport: this.#tally.timed(transport),
      clock: this.#clock,
      download,
      fortunes: { ...goodFortune, ...options.fortunes },
      reboot: { ...promptReboot, ...options.reboot },
      flags: options.url === PUBLIC_SERVER ? 0 : exitFlags.TestOmahaUrl,
      tell: (machine, what) => {
        this.#tally.hear(machine, what);
        options.tell?.(machine, what);
      },
    });
  }
}

function identityOf(
  given: Partial<Identity>,
  index: number,
): Omit<Identity, 'machineID' | 'bootID' | 'alephVersion'> {
  const { machineAlias = '' } = given;
  return {
    appID: FLATCAR_APP,
    version: '1.0.0',
    track: 'stable',
    oem: '',
    oemVersion: '',
    board: 'amd64-usr',
    architecture: given.board === 'arm64-usr' ? 'aarch64' : 'x86_64',
    ...given,
    machineAlias: machineAlias === '' ? '' : `${machineAlias}-${index}`,
  };
}
