import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Answer, Order, Where } from './worker.ts';

const worker = new URL('worker.ts', import.meta.url).pathname;

/** A replica in a process of its own. It ends with this one: the channel between them closes. */
export class Replica {
  readonly #child: ChildProcess;
  readonly #answers: Answer[] = [];
  #ended = 0;
  #waiting: (() => void)[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: Answer) => {
      this.#answers.push(answer);
      if (answer.id !== undefined) return;
      this.#ended += 1;
      this.#wake();
    });
    child.on('exit', () => this.#wake());
  }

  static async start(where: Where): Promise<Replica> {
    const child = fork(worker, [JSON.stringify(where)], { execArgv: [] });
    const [first] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
    if (first !== 'ready') throw new Error(`a replica did not start: ${String(first)}`);
    return new Replica(child);
  }

  /** All that was acknowledged so far. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  order(order: Order): void {
    if (this.isRunning) this.#child.send(order);
  }

  /** Waits until so many orders came to their end, or the process did. */
  async ended(orders: number): Promise<void> {
    while (this.isRunning && this.#ended < orders) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Kills it as it stands, and waits for what it had sent. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
