import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What differs from boot to boot. `partuuid` is that of the running slot; a machine without slots has none. */
export interface HostFacts {
  bootID: string;
  machineID: string;
  kernel: string;
  osRelease: string;
  partuuid: string | undefined;
}

/**
 * Writes what a booted system shows under `/`: /proc, the mounted /usr, and of /etc which machine it is and who is on
 * it. What a real machine keeps on its ROOT partition (`var/lib`) is left as the last boot left it.
 */
export async function writeHostRoot(root: string, facts: HostFacts): Promise<void> {
  await rm(join(root, 'proc'), { recursive: true, force: true });
  await mkdir(join(root, 'var/lib/careen'), { recursive: true });
  const files = {
    'proc/cmdline': commandLine(facts.partuuid),
    'proc/sys/kernel/random/boot_id': `${facts.bootID}\n`,
    'proc/sys/kernel/osrelease': `${facts.kernel}\n`,
    'etc/machine-id': `${facts.machineID}\n`,
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
    'usr/lib/os-release': facts.osRelease,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** The machine ID that an earlier boot left, if there was one. */
export async function readMachineID(root: string): Promise<string | undefined> {
  return (await readFile(join(root, 'etc/machine-id'), 'utf8').catch(() => undefined))?.trim();
}

function commandLine(partuuid: string | undefined): string {
  if (partuuid === undefined) return 'BOOT_IMAGE=/vmlinuz root=LABEL=ROOT\n';
  return `BOOT_IMAGE=/flatcar/vmlinuz mount.usr=PARTUUID=${partuuid} mount.usrflags=ro root=LABEL=ROOT\n`;
}
