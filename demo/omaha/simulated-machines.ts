import type { Ledger } from '#test/observer/ledger.ts';
import { Fleet } from '#test/omaha/fleet/fleet.ts';
import { AwayMachines } from './away.ts';
import { byVersion, type Population } from './scene.ts';
import { Tried } from './tried.ts';

/** Their time runs so much faster: a check every 4.5 s instead of every 45 minutes. */
const SPEED = 600;
/**
 * In their time: 4.5 s of ours from the install to the reboot, a quarter more or less, and 1 s to boot. A node gives its
 * place on when it has succeeded, is cordoned for two seconds more, and who observes it hears of that a little later: the
 * place must not count twice meanwhile.
 */
const REBOOT = { delayMs: 45 * 60_000, takesMs: 10 * 60_000 };

/** Machines with update_engine that poll an endpoint, and their own book of what becomes of them. */
export class SimulatedMachines {
  readonly tried = new Tried();
  readonly #fleet: Fleet;
  readonly #away: AwayMachines;
  #before: Readonly<Record<string, number>> = {};

  /** `broken`: a version that boots on none of them. Who is away goes into the ledger. */
  constructor(url: string, machines: number, broken: string, ledger: Ledger) {
    this.#away = new AwayMachines(ledger);
    this.#fleet = new Fleet({
      url,
      machines,
      speed: SPEED,
      reboot: REBOOT,
      fortunes: { badVersions: [broken] },
      connections: 64,
      tell: (machine, what) => [this.tried, this.#away].forEach((book) => book.hear(machine, what)),
    }).start();
  }

  /** A new chapter begins. */
  reset(): void {
    this.tried.reset();
    this.#before = this.#fleet.report().statuses;
  }

  population(): Population {
    const { machines } = this.#fleet;
    const versions = byVersion(machines.map(({ version }) => version));
    const { underWay } = this.tried;
    return {
      name: 'update_engine machines',
      total: machines.length,
      versions,
      underWay,
      away: this.#away.count,
    };
  }

  /** Whether all run `version`, and none is on its way. */
  allRest(version: string): boolean {
    return this.#fleet.allRun(version) && this.tried.underWay === 0 && this.#away.count === 0;
  }

  /** Requests since the chapter began that got no answer, by HTTP status; 0: no connection. */
  unanswered(): Record<string, number> {
    const now = Object.entries(this.#fleet.report().statuses).filter(([status]) => status !== '200');
    const since = now.map(([status, count]) => [status, count - (this.#before[status] ?? 0)] as const);
    return Object.fromEntries(since.filter(([, count]) => count > 0));
  }

  stop(): Promise<void> {
    return this.#fleet.stop();
  }
}
