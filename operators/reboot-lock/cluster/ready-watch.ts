import { readyCondition, type Node } from '#api/meta.ts';

/**
 * How long the operator itself has seen each node Ready in its present boot. Measured on its own monotonic
 * clock from the first sight of the present lastTransitionTime, so neither a wrong clock on either side nor a
 * flap between two sights can make it longer than it was.
 */
export class ReadyWatch {
  readonly #clock: () => number;
  readonly #seen = new Map<string, { key: string; at: number }>();

  constructor(monotonicMs: () => number) {
    this.#clock = monotonicMs;
  }

  /** To be called with every version of a node that is seen; 0 while it is not Ready. */
  readyForMs(node: Node): number {
    const condition = readyCondition(node);
    const { uid, name } = node.metadata;
    if (condition?.status !== 'True') {
      this.#seen.delete(name);
      return 0;
    }
    const key = [uid, node.status?.nodeInfo?.bootID, condition.lastTransitionTime].join(' ');
    const known = this.#seen.get(name);
    if (known?.key === key) return this.#clock() - known.at;
    this.#seen.set(name, { key, at: this.#clock() });
    return 0;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }
}
