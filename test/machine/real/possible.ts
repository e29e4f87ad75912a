import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { makeControlGroups, removeControlGroups } from './control-groups.ts';
import { RealNodeError } from './real-node-error.ts';
import { NAMESPACES } from './running-node.ts';
import { tool, TOOL_PATH } from './tool.ts';

/** Programs that real nodes and their OS images are made with, and the Debian package of each. */
const TOOLS: Readonly<Record<string, string>> = {
  losetup: 'mount',
  mount: 'mount',
  partx: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
  mke2fs: 'e2fsprogs',
  mksquashfs: 'squashfs-tools',
  mmdebstrap: 'mmdebstrap',
  gcc: 'gcc',
  'pkg-config': 'pkg-config',
};

/** Debian packages of headers and static libraries that the parts of a node are built with, and how each is looked for. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'libc6-dev': 'test -e "$(gcc -print-file-name=libc.a)"',
  'libseccomp-dev': 'pkg-config --exists libseccomp',
};

/** What is tried on the kernel: a shell command, and what it means when it fails. */
const TRIALS: readonly [string, string][] = [
  [
    `unshare --fork ${NAMESPACES.join(' ')} --cgroup sh -c 'mount -t tmpfs none /mnt && mknod /mnt/null c 1 3'`,
    'namespaces cannot be made here (in a container, it must be a privileged one)',
  ],
  [
    "unshare --net sh -c 'ip link add name br0 type bridge && ip link add name one type veth peer name other'",
    'the kernel has no network bridge, or no veth',
  ],
  ['test -e /dev/loop-control && losetup -f', 'the kernel has no loop devices'],
  ...['squashfs', 'ext4', 'overlay'].map((name): [string, string] => [
    `grep -qw ${name} /proc/filesystems || modprobe ${name}`,
    `the kernel cannot mount ${name}`,
  ]),
];

let answer: Promise<string | undefined> | undefined;

/** Why real nodes cannot run here; undefined if they can. It is found out once, by trying. */
export function realNodesPossible(): Promise<string | undefined> {
  answer ??= findObstacle();
  return answer;
}

/** @throws RealNodeError NotPossible */
export async function demandRealNodes(): Promise<void> {
  const obstacle = await realNodesPossible();
  if (obstacle !== undefined) throw new RealNodeError('NotPossible', `real nodes cannot run: ${obstacle}`);
}

async function findObstacle(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'they need Linux';
  if (process.geteuid?.() !== 0) return 'they need root (sudo)';
  const packages = await missingPackages();
  if (packages.length > 0) return `apt-get install ${packages.join(' ')}`;
  for (const [command, meaning] of TRIALS) if (await fails(command)) return meaning;
  return (await controlGroupsWork()) ? undefined : 'control groups cannot be made in /sys/fs/cgroup';
}

/** Debian packages of what is not found on the path. */
export async function missingPackages(searchPath = TOOL_PATH): Promise<string[]> {
  const tools = Object.keys(TOOLS).filter((name) => !isOnPath(name, searchPath));
  const libraries: string[] = [];
  for (const [name, look] of Object.entries(LIBRARIES)) {
    if (await fails(`PATH='${searchPath}'; ${look}`)) libraries.push(name);
  }
  return [...new Set([...tools.map((name) => TOOLS[name] ?? name), ...libraries])];
}

function isOnPath(name: string, searchPath: string): boolean {
  return searchPath.split(':').some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

function fails(command: string): Promise<boolean> {
  return tool('sh', ['-c', command]).then(
    () => false,
    () => true,
  );
}

async function controlGroupsWork(): Promise<boolean> {
  const name = `careen-probe-${process.pid}`;
  try {
    await makeControlGroups(name);
    await removeControlGroups(name);
    return true;
  } catch {
    return false;
  }
}
