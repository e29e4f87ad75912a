import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '#runtime/leader/lease.ts';
import { leasePath } from './parts.ts';
import type { Check } from './check.ts';

const LOOK_EVERY_MS = 250;

/** An operator has a leader, and it is alive: it renews its Lease while we look. No clocks are compared. */
export function leader(operator: string): Check {
  return async ({ client, namespace }) => {
    const read = () => client.get<Lease>(leasePath(namespace, operator));
    const first = await read();
    const deadline = performance.now() + (first.spec?.leaseDurationSeconds ?? 15) * 1000;
    for (let now = first; performance.now() < deadline; now = await read()) {
      const holder = now.spec?.holderIdentity;
      const isRenewed = now.metadata.resourceVersion !== first.metadata.resourceVersion;
      if (isRenewed && holder) return { well: `${holder.replace(/_.*$/, '')} leads` };
      await sleep(LOOK_EVERY_MS);
    }
    return { unwell: first.spec?.holderIdentity ? 'its leader does not renew its Lease' : 'nobody leads' };
  };
}
