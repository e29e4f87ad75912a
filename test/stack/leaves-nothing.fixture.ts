import assert from 'node:assert/strict';
import { until } from '#test/cluster/until.ts';
import { tracesOf } from '#test/machine/real/traces.fixture.ts';

/** Waits until this computer shows nothing of what was kept in `directories`; the error lists what is left. */
export async function leavesNothing(directories: readonly string[], timeoutMs: number): Promise<void> {
  let left: string[] = [];
  const nothing = async () => {
    left = (await Promise.all(directories.map(tracesOf))).flat();
    return left.length === 0;
  };
  await until('nothing is left', nothing, { timeoutMs, everyMs: 200 }).catch(() =>
    assert.deepEqual(left, []),
  );
}
