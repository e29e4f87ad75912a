import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HostFiles } from '../transaction/host-files.ts';

const MACHINE = 'a'.repeat(32);

/** A host's root directory with the files that the agent asks for, and the agent's state directory within. */
export class TestHost implements AsyncDisposable {
  readonly root: string;
  readonly stateDir: string;

  private constructor(root: string) {
    this.root = root;
    this.stateDir = join(root, 'var/lib/careen');
  }

  /** Without `root`: in a temporary directory. */
  static async make(root?: string): Promise<TestHost> {
    const host = new TestHost(root ?? (await mkdtemp(join(tmpdir(), 'careen-host-'))));
    await host.write('/etc/passwd', 'root:x:0:0::/root:/bin/sh\ncore:x:500:501::/home/core:/bin/sh\n');
    await host.write('/etc/group', 'root:x:0:\ncore:x:501:\n');
    await mkdir(host.stateDir, { recursive: true });
    return host;
  }

  /** As an agent that has just started sees it. */
  files(machineID = MACHINE): HostFiles {
    return new HostFiles({ tree: { root: this.root }, stateDir: this.stateDir, machineID });
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
