import type { Stack } from '#test/stack/stack.ts';

/** Which systemd each machine runs, asked on the machine itself once a boot. Light machines have none. */
export class SystemdVersions {
  readonly versions = new Map<string, string>();
  readonly #stack: Stack;
  readonly #bootIDs = new Map<string, string>();

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  async look(): Promise<void> {
    await Promise.all(this.#stack.fleet.machines.map(({ name }) => this.#lookAt(name)));
  }

  async #lookAt(name: string): Promise<void> {
    const { bootID } = this.#stack.machine(name).state();
    if (bootID === undefined || this.#bootIDs.get(name) === bootID) return;
    const said = await this.#stack.ground.run(name, ['systemctl', '--version']).catch(() => undefined); // it is going down
    const version = /^systemd (\d+)/u.exec(said ?? '')?.[1];
    if (version === undefined) return void this.versions.delete(name);
    this.versions.set(name, version);
    this.#bootIDs.set(name, bootID);
  }
}
