import type { AgentRecord } from '../../record/record.ts';
import type { NodeStateSpec, NodeStateStatus } from '#api/node-state.ts';

interface Seen {
  spec: NodeStateSpec;
  status: NodeStateStatus | undefined;
  /** What the machine has on its disk. */
  record: Pick<AgentRecord, 'spent'>;
  /** By the wall clock, epoch milliseconds. */
  now: number;
}

/** The reboot-lock operator: a grant for whoever is staged and asks; withdrawn when it is of no use any more. */
export class ModelOperator {
  #grants = 0;

  /** What it does to the spec: nothing, give a grant, or take it back. */
  operate({ spec, status, record, now }: Seen): 'granted' | 'withdrawn' | undefined {
    const { update, reboot, bootID } = status ?? {};
    const { grant } = spec.reboot ?? {};
    if (grant !== undefined) {
      // A request that is younger than the grant was made after the grant had been used in vain.
      const spent = record.spent.includes(grant.id) && update?.phase === 'Staged';
      const stands =
        grant.bootID === bootID && Date.parse(grant.notAfter) > now && update?.phase !== 'Failed';
      if (stands && !spent) return undefined;
      delete spec.reboot;
      return 'withdrawn';
    }
    if (reboot?.requested !== true || update?.phase !== 'Staged' || bootID === undefined) return undefined;
    spec.reboot = { grant: this.#newGrant(bootID, now) };
    return 'granted';
  }

  #newGrant(bootID: string, now: number) {
    this.#grants += 1;
    const notAfter = new Date(now + 600_000).toISOString();
    return { id: `grant-${this.#grants}`, nodeUID: 'uid', bootID, notAfter, mode: 'reboot' as const };
  }
}
