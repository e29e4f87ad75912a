import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SlotEngine } from '#agent/slots/engine.ts';
import { findDisk } from '#agent/slots/gpt/find-disk.ts';
import { openGptEngine } from '#agent/slots/gpt/gpt-engine.ts';
import type { RealMachine } from './real-machine.ts';

/** The agent's own engine on a running machine, with the machine's command line, devices and /sys. */
export async function slotEngineOf(machine: RealMachine): Promise<SlotEngine> {
  const { root } = machine;
  const sysfs = join(root, 'sys');
  return openGptEngine({ ...(await findDisk(root)), sysfs, proc: join(root, 'proc') });
}

/** Writes an image to the passive slot and makes it the next to boot, once. */
export async function stage(machine: RealMachine, image: string): Promise<void> {
  const engine = await slotEngineOf(machine);
  const target = await engine.open();
  await target.clear();
  await target.medium.write(0, await readFile(image));
  await target.medium.sync();
  await target.close();
  await engine.arm(1);
}
