import { BusError } from '#agent/boot/systemd/bus-error.ts';
import { Manager, unitPath } from '#agent/boot/systemd/manager.ts';
import type { UnitWatch } from './units.ts';

const DEAF: UnitWatch = { broken: true, close: () => undefined };

/** Listens to systemd over a connection that stays; `broken` where it cannot be had. */
export async function watchUnits(
  root: string,
  names: readonly string[],
  onChange: () => void,
): Promise<UnitWatch> {
  let manager: Manager | undefined;
  try {
    manager = await Manager.connect(root);
    const watch = listen(manager, new Set(names.map((name) => unitPath(name))), onChange);
    await manager.followUnits(names);
    return watch;
  } catch (error) {
    manager?.close();
    if (error instanceof BusError) return DEAF;
    throw error;
  }
}

function listen(manager: Manager, paths: ReadonlySet<string>, onChange: () => void): UnitWatch {
  let broken = false;
  manager.connection.onSignal(({ path, member }) => {
    if (member === 'UnitFilesChanged' || paths.has(path)) onChange();
  });
  void manager.connection.closed.then(() => (broken = true));
  return {
    get broken() {
      return broken;
    },
    close: () => manager.close(),
  };
}
