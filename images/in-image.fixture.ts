import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * What a container runtime does, as far as an image can notice: its root only, read-only, no network but loopback,
 * no capabilities for a user that is not root. `$1` is the root, `$2` the user.
 */
const script = `
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
ip link set lo up
root=$1 user=$2
shift 2
exec chroot --userspec="$user" "$root" "$@"
`;

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program of an unpacked image and returns what it printed; needs root. */
export async function inImage(
  root: string,
  user: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const namespaces = ['--mount', '--net', '--pid', '--fork', '--kill-child'];
  const args = [...namespaces, '/bin/sh', '-c', script, 'sh', root, user, ...argv];
  const { stdout, stderr } = await promisify(execFile)('unshare', args, {
    timeout: 60_000,
    env: { PATH: path, ...env },
  });
  return stdout + stderr;
}
