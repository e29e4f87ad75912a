import { Manager } from '#agent/boot/systemd/manager.ts';
import type { ListedUnit } from '#agent/boot/systemd/manager.ts';
import { BusError } from '#agent/boot/systemd/bus-error.ts';
import { ConfigError } from '../config-error.ts';
import { runJob } from './run-job.ts';
import { JOBS } from './units.ts';
import type { Job, UnitFacts, UnitWatch, Units } from './units.ts';
import { watchUnits } from './watch-units.ts';

/** The units of the host's systemd, over D-Bus. Each call has a connection of its own: they are rare. */
export class HostUnits implements Units {
  readonly #root: string;

  /** `root`: where the host's root directory is mounted. */
  constructor(root: string) {
    this.#root = root;
  }

  async facts(names: readonly string[]): Promise<UnitFacts[]> {
    if (names.length === 0) return [];
    return this.#with('list units', async (manager) => {
      const listed = new Map((await manager.listUnits(names)).map((unit) => [unit.name, unit]));
      return Promise.all(names.map((name) => factsOf(manager, name, listed.get(name))));
    });
  }

  reload(): Promise<void> {
    return this.#with('read its units anew', (manager) => manager.reload());
  }

  enable(name: string): Promise<void> {
    return this.#with(`enable ${name}`, (manager) => manager.enableUnitFile(name));
  }

  disable(name: string): Promise<void> {
    return this.#with(`disable ${name}`, (manager) => manager.disableUnitFile(name));
  }

  unmask(name: string): Promise<void> {
    return this.#with(`unmask ${name}`, (manager) => manager.unmaskUnitFile(name));
  }

  stopping(): Promise<boolean> {
    return this.#with('say how it is', async (manager) => (await manager.systemState()) === 'stopping');
  }

  watch(names: readonly string[], onChange: () => void): Promise<UnitWatch> {
    return watchUnits(this.#root, names, onChange);
  }

  job(job: Job, name: string, limitMs: number): Promise<void> {
    return this.#with(`${job} ${name}`, (manager) => runJob(manager, JOBS[job], name, limitMs));
  }

  async #with<T>(what: string, use: (manager: Manager) => Promise<T>): Promise<T> {
    let manager: Manager | undefined;
    try {
      manager = await Manager.connect(this.#root);
      return await use(manager);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      throw new ConfigError('ActionFailed', `systemd did not ${what}: ${error.message}`, { cause: error });
    } finally {
      manager?.close();
    }
  }
}

async function factsOf(manager: Manager, name: string, listed: ListedUnit | undefined): Promise<UnitFacts> {
  const enablement = await manager.unitFileState(name).catch(otherwise(''));
  const restarts = await serviceProperty(manager, name, 'NRestarts', 0);
  return {
    name,
    exists: listed !== undefined && listed.load !== 'not-found',
    enablement,
    active: listed?.active ?? 'inactive',
    restarts: Number(restarts),
    pending: (listed?.job ?? 0) !== 0,
    ends: await isOneshot(manager, name),
  };
}

async function isOneshot(manager: Manager, name: string): Promise<boolean> {
  if ((await serviceProperty(manager, name, 'Type', '')) !== 'oneshot') return false;
  return (await serviceProperty(manager, name, 'RemainAfterExit', false)) === false;
}

/** What only services have. */
async function serviceProperty(
  manager: Manager,
  name: string,
  property: string,
  none: unknown,
): Promise<unknown> {
  if (!name.endsWith('.service')) return none;
  return manager.unitProperty(name, 'Service', property).catch(otherwise(none));
}

/** systemd refuses to say it of a unit that it does not know. */
function otherwise<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof BusError && error.code === 'Refused') return value;
    throw error;
  };
}
