import type { Outage } from './ledger.ts';

/** Each instant is in milliseconds. */
export interface Turns {
  outages: readonly Outage[];
  /** Since when each node has asked for its reboot, in this rollout. */
  asked: ReadonlyMap<string, number>;
  /** The node of the leader of the reboot lock at an instant. */
  leaderAt: (at: number) => string | undefined;
}

/** A node may have asked so shortly before that the leader could not know, or had given the place whose cordon is seen now. */
const NOTICE_MS = 4000;

/**
 * The nodes that waited in vain for the leader's own node to let them go first; none, if it went last of those
 * that had asked when its turn began.
 */
export function overtakenByLeader({ outages, asked, leaderAt }: Turns): string[] {
  const begins = new Map(outages.map(({ node, from }) => [node, from]));
  return [...begins]
    .filter(([node, from]) => leaderAt(from - 1) === node)
    .flatMap(([, from]) =>
      [...asked]
        .filter(([other, since]) => since + NOTICE_MS < from && (begins.get(other) ?? Infinity) > from)
        .map(([other]) => other),
    );
}
