import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { until } from '#test/cluster/until.ts';
import { RealNodeError } from './real-node-error.ts';

const LIMIT = '/proc/sys/fs/inotify/max_user_instances';
/** Of these the kubelet takes 6, systemd 5, containerd 2; measured. */
const PER_NODE = 16;
const WAIT_MS = 300_000;

/**
 * Waits until there are inotify instances for so many nodes. The kernel counts them for each user over the whole
 * computer, 128 unless told otherwise; a kubelet that gets none ends and is started again, and again.
 * @throws RealNodeError NotPossible after five minutes, or at once where the limit is less than what is needed
 */
export async function demandInotifyRoom(nodes: number): Promise<void> {
  const limit = Number(readFileSync(LIMIT, 'utf8'));
  const wanted = nodes * PER_NODE;
  const timeoutMs = wanted > limit ? 0 : WAIT_MS;
  const room = (): boolean => limit - inotifyInstances() >= wanted;
  await until('there are inotify instances', room, { timeoutMs, everyMs: 1000 }).catch(() => {
    const taken = inotifyInstances();
    throw new RealNodeError(
      'NotPossible',
      `${nodes} real nodes need ${wanted} inotify instances, but ${taken} of ${limit} are taken: end other nodes, ` +
        'or "sysctl -w fs.inotify.max_user_instances=1024" as root',
    );
  });
}

/** How many are open on this computer, whoever has them. */
function inotifyInstances(): number {
  const processes = list('/proc').filter((name) => /^\d+$/u.test(name));
  return processes.map((pid) => instancesOf(`/proc/${pid}/fd`)).reduce((sum, count) => sum + count, 0);
}

function instancesOf(descriptors: string): number {
  return list(descriptors).filter((name) => target(`${descriptors}/${name}`) === 'anon_inode:inotify').length;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // the process has ended
  }
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
