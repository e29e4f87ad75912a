import type { Cluster } from '#test/cluster/cluster.ts';
import { guarded, type GuardedOptions, type GuardedProcess } from '#test/cluster/guardian.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Exit status of an operator that does not lead any more. */
const LEASE_LOST = 1;

/** A lease that soon falls to another replica; on a slow machine its holder loses it at times. */
export const QUICK_LEASE = ['--lease-duration=3s', '--renew-deadline=2s', '--retry-period=500ms'];
/** A lease that nobody loses by being slow. */
export const LONG_LEASE = ['--lease-duration=20s', '--renew-deadline=15s', '--retry-period=500ms'];

/** A process of the operator whose program is at `main`, a path from the root, on a port of its own choice. */
export function startOperator(
  { kubeconfig }: Pick<Cluster, 'kubeconfig'>,
  main: string,
  name: string,
  flags: readonly string[],
  options: GuardedOptions = {},
): Promise<GuardedProcess> {
  const common = [`--kubeconfig=${kubeconfig}`, '--namespace=default', `--identity=${name}`];
  const args = [`${ROOT}${main}`, ...common, '--address=127.0.0.1:0', ...flags];
  return guarded(process.execPath, args, { stderr: 'inherit', ...options });
}

/**
 * Replicas of operators as processes, by name. One that ends because it lost its lease is started again; a kubelet
 * does the same.
 */
export class Replicas<P extends GuardedProcess = GuardedProcess> {
  readonly #running = new Map<string, P>();
  /** Those that are started again, by name. */
  readonly #returning = new Map<string, Promise<void>>();

  async start(name: string, program: () => Promise<P>): Promise<void> {
    const replica = await program();
    this.#running.set(name, replica);
    void replica.exited.then((status) => {
      if (status === LEASE_LOST && this.#running.get(name) === replica) this.#startAgain(name, program);
    });
  }

  get(name: string): P | undefined {
    return this.#running.get(name);
  }

  all(): P[] {
    return [...this.#running.values()];
  }

  /** The name of the one that holds a lease. */
  holding(holderIdentity = ''): string | undefined {
    return [...this.#running.keys()].find((name) => holderIdentity.startsWith(name));
  }

  /** By SIGKILL, and it stays dead. */
  async kill(name: string): Promise<void> {
    await this.#returning.get(name);
    const replica = this.#running.get(name);
    this.#running.delete(name);
    await replica?.kill();
  }

  async stop(): Promise<void> {
    // One that is on its way back would come after the end, and nobody would stop it.
    while (this.#returning.size > 0) await Promise.all(this.#returning.values());
    const last = this.all();
    this.#running.clear();
    await Promise.all(last.map((replica) => replica.stop()));
  }

  #startAgain(name: string, program: () => Promise<P>): void {
    const back = this.start(name, program).finally(() => this.#returning.delete(name));
    this.#returning.set(name, back);
  }
}
