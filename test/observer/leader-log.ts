/** When the leadership of one operator changed hands, as its Lease tells. Instants in milliseconds. */

export interface Lead {
  from: number;
  /** The pod that leads. */
  pod: string;
  /** Its node; undefined once the pod is gone. */
  node: string | undefined;
}

export class LeaderLog {
  readonly leads: Lead[] = [];

  /** What the Lease says at `at`; nobody leading is no news. */
  see(at: number, pod: string | undefined, node: string | undefined): void {
    if (pod === undefined || pod === '') return;
    const last = this.leads.at(-1);
    if (last?.pod === pod) last.node ??= node;
    else this.leads.push({ from: at, pod, node });
  }

  /** How often somebody else took over. */
  get handOvers(): number {
    return Math.max(0, this.leads.length - 1);
  }

  /** Where the leader was at an instant. */
  nodeAt(at: number): string | undefined {
    return this.leads.findLast(({ from }) => from <= at)?.node;
  }
}
