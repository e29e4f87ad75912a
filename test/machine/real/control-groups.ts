import { access, mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RealNodeError } from './real-node-error.ts';
import { until } from '#test/cluster/until.ts';

const ROOT = '/sys/fs/cgroup';
const NEEDED = ['cpu', 'cpuset', 'io', 'memory', 'pids'];

/** Whether this computer has cgroup v2 alone. */
export async function isUnified(): Promise<boolean> {
  return exists(join(ROOT, 'cgroup.controllers'));
}

/** Makes the control groups that will be the root of a node's own cgroup namespace, one in each hierarchy. */
export async function makeControlGroups(name: string): Promise<void> {
  if (await isUnified()) {
    await delegate();
    await mkdir(join(ROOT, name), { recursive: true });
    return;
  }
  for (const hierarchy of await hierarchies()) await mkdir(join(hierarchy, name), { recursive: true });
  // A new group of the cpuset hierarchy may use no processor at all: no process could enter it.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const hierarchy = join(ROOT, 'cpuset');
    if (!(await exists(join(hierarchy, file)))) continue;
    await writeFile(join(hierarchy, name, file), await readFile(join(hierarchy, file)));
  }
}

/**
 * Removes a dead node's groups with all below them. They must be gone before the next boot: cadvisor would hold
 * the new kubelet back three seconds for each old container.
 */
export async function removeControlGroups(name: string): Promise<void> {
  const roots = (await isUnified()) ? [ROOT] : await hierarchies();
  const gone = async (): Promise<boolean> => {
    for (const root of roots) await removeTree(join(root, name));
    return true;
  };
  await until(`the control groups ${name} are gone`, gone, { timeoutMs: 120_000 }).catch((cause: unknown) => {
    throw new RealNodeError('NodeFailed', `processes of ${name} do not end`, { cause });
  });
}

/** The hierarchies of cgroup v1, and the one of v2 beside them where there is one; each is a mount of its own. */
export async function hierarchies(): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name));
  const { dev } = await stat(ROOT);
  const isHierarchy = async (directory: string): Promise<boolean> =>
    (await exists(join(directory, 'cgroup.procs'))) && (await stat(directory)).dev !== dev;
  const real = await Promise.all(directories.map(isHierarchy));
  return directories.filter((_, index) => real[index]);
}

/** A group has only the controllers that its parent hands on. */
async function delegate(): Promise<void> {
  const available = (await readFile(join(ROOT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  for (const controller of NEEDED.filter((each) => available.includes(each)))
    await writeFile(join(ROOT, 'cgroup.subtree_control'), `+${controller}`);
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  await rmdir(directory);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
