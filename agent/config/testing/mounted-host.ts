import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guarded } from '#test/cluster/guardian.ts';
import type { GuardedProcess } from '#test/cluster/guardian.ts';
import { until } from '#test/cluster/until.ts';
import { TestHost } from './host.ts';

/** Why a host on a file system of its own cannot be had here; undefined if it can. */
export const cannotMount: string | undefined =
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
    ? undefined
    : 'a private mount namespace needs root';

/**
 * A host whose root is a file system of its own, in a mount namespace of its own, which ends with the test however
 * that ends. Its files are reached through the process that holds the namespace.
 */
export class MountedHost implements AsyncDisposable {
  readonly host: TestHost;
  /** In the namespace. */
  readonly mountpoint: string;
  readonly #holder: GuardedProcess;
  readonly #directory: string;

  private constructor(host: TestHost, holder: GuardedProcess, directory: string) {
    this.host = host;
    this.#holder = holder;
    this.#directory = directory;
    this.mountpoint = join(directory, 'root');
  }

  /** `mount`: a script of the shell that mounts something on `$1`; `$2` is a directory to keep images in. */
  static async make(mount = 'mount -t tmpfs none "$1"'): Promise<MountedHost> {
    const directory = await mkdtemp(join(tmpdir(), 'careen-mounted-'));
    const script = `set -e; mkdir "$1"; ${mount}; : > "$1/.mounted"; exec sleep infinity`;
    const inside = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
    const holder = await guarded('unshare', [...inside, join(directory, 'root'), directory], {
      graceMs: 0,
    });
    const root = `/proc/${holder.pid}/root${directory}/root`;
    await until('the host is mounted', async () => {
      await rm(join(root, '.mounted'));
      return true;
    });
    const host = await TestHost.make({ root, mountinfo: `/proc/${holder.pid}/mountinfo` });
    return new MountedHost(host, holder, directory);
  }

  /** Runs a script of the shell in the namespace, at the host's root. Throws if it fails. */
  run(script: string): string {
    const { pid } = this.#holder;
    const inside = ['--mount', '--target', String(pid), `--wdns=${this.mountpoint}`];
    const { status, stdout, stderr } = spawnSync('nsenter', [...inside, 'sh', '-c', script], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  }

  get directory(): string {
    return this.#directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
