import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { HostTree } from '../paths/host-tree.ts';
import { HostFiles } from '../transaction/host-files.ts';

export const MACHINE = 'a'.repeat(32);

/** A host's root directory with the files that the agent asks for, and the agent's state directory within. */
export class TestHost implements AsyncDisposable {
  readonly root: string;
  readonly tree: HostTree;
  readonly stateDir: string;

  private constructor(tree: HostTree) {
    this.root = tree.root;
    this.tree = tree;
    this.stateDir = join(tree.root, 'var/lib/careen');
  }

  /** Without `tree`: in a temporary directory. */
  static async make(tree?: HostTree): Promise<TestHost> {
    const host = new TestHost(tree ?? { root: await mkdtemp(join(tmpdir(), 'careen-host-')) });
    await host.write('/etc/passwd', 'root:x:0:0::/root:/bin/sh\ncore:x:500:501::/home/core:/bin/sh\n');
    await host.write('/etc/group', 'root:x:0:\ncore:x:501:\n');
    await mkdir(host.stateDir, { recursive: true });
    return host;
  }

  /** As an agent that has just started sees it. */
  files(machineID = MACHINE): HostFiles {
    return new HostFiles({ tree: this.tree, stateDir: this.stateDir, machineID });
  }

  at(path: string): string {
    return join(this.root, path);
  }

  async write(path: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.at(path)), { recursive: true });
    await writeFile(this.at(path), text);
    await chmod(this.at(path), mode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
