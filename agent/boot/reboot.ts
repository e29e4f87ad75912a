import { join } from 'node:path';
import { RebootError } from './host.ts';
import { rebootByLogind } from './logind.ts';
import { BusError } from './systemd/bus-error.ts';
import { Manager } from './systemd/manager.ts';

/**
 * Reboots the host in good order: through logind, and by systemd itself where there is no logind or no bus. systemd
 * is given the job of reaching `reboot.target`, which stops every unit first; its own `Reboot` would stop none.
 * Throws `RebootError`.
 */
export async function rebootHost(hostRoot: string): Promise<void> {
  try {
    await rebootByLogind(join(hostRoot, 'run/dbus/system_bus_socket'));
  } catch (error) {
    if (!(error instanceof RebootError) || error.code !== 'Unreachable') throw error;
    await rebootBySystemd(hostRoot, error);
  }
}

async function rebootBySystemd(hostRoot: string, why: RebootError): Promise<void> {
  try {
    const manager = await Manager.connect(hostRoot);
    try {
      await manager.startUnit('reboot.target', 'replace-irreversibly');
    } finally {
      manager.close();
    }
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    // systemd hung up on us: the job was taken, and everybody is being stopped.
    if (error.code === 'NoAnswer') return;
    const code = error.code === 'Unreachable' ? 'Unreachable' : 'Refused';
    throw new RebootError(code, `${why.message}; systemd: ${error.message}`, error);
  }
}
