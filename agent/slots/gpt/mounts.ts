import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Device numbers (`8:4`) mounted in the agent's mount namespace or, where it may look, the host's. `proc` is the
 * host's: there, 1 is the host's own first process and `self` is the agent in a container too.
 */
export async function mountedDevices(proc: string): Promise<Set<string>> {
  const files = [join(proc, 'self', 'mountinfo'), join(proc, '1', 'mountinfo')];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return new Set(texts.flatMap(devicesOf));
}

/** Third field of each line, proc(5). */
function devicesOf(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => line.split(' ')[2] ?? []);
}
