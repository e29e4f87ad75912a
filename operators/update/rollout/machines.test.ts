import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeGroupSpec } from '#api/node-group.ts';
import type { StandingCount } from '../omaha/store/group-view.ts';
import { readChannel } from '../channel/read-channel.ts';
import type { Machines } from './machines.ts';
import { planRollout, type Plan, type PlanInput } from './plan.ts';

/** A group whose machines ask over Omaha, and that has no node. */
const NOW = Date.parse('2026-03-01T12:00:00Z');

function plan(machines: Machines, previous?: PlanInput['previous'], rollout: object = {}): Plan {
  const waves = [{ name: 'canary', size: 1, soak: '10m' }];
  const omaha = { appID: 'os', tracks: ['stable'] };
  const update = { channel: 'stable', omaha, rollout: { waves, ...rollout } };
  const { channel } = readChannel('stable', {
    source: { releases: [{ version: '2.0.0', payload: { manifest: 'http://payloads/2.0.0' } }] },
    keys: [`RW${'A'.repeat(54)}`],
  });
  assert.ok(channel !== undefined);
  const group = { name: 'edge', update: nodeGroupSpec.parse({ nodeSelector: {}, update }).update };
  return planRollout({ group, channel, nodes: [], machines, previous, now: NOW });
}

const standing = (wave: number, outcome: StandingCount['outcome'], machines: number): StandingCount => ({
  target: '2.0.0',
  wave,
  outcome,
  machines,
});
const deal = [{ upTo: '3f', machines: 1 }];

describe('the machines of a group', () => {
  it('are dealt out before the first of them is let in', () => {
    assert.equal(plan({ total: 3, standings: [], failed: [] }).isDealDue, true);
    const dealt = plan({ total: 3, standings: [], failed: [], deal });
    assert.deepEqual([dealt.isDealDue, dealt.rollout?.wave], [false, 'canary']);
    assert.deepEqual(dealt.rollout?.waves?.[0], {
      name: 'canary',
      nodes: 0,
      done: 0,
      machines: 1,
      machinesDone: 0,
      upTo: '3f',
    });
    // It is remembered in the status, and not done again.
    assert.equal(plan({ total: 3, standings: [], failed: [] }, dealt.rollout).isDealDue, false);
  });

  it('hold the next wave until those of this one have arrived and were watched', () => {
    const first = plan({ total: 3, standings: [], failed: [], deal }).rollout;
    const waiting = plan({ total: 3, standings: [standing(1, 'pending', 2)], failed: [] }, first);
    assert.equal(waiting.rollout?.wave, 'canary');
    const arrived = [standing(0, 'succeeded', 1), standing(1, 'pending', 2)];
    const soaking = plan({ total: 3, standings: arrived, failed: [] }, waiting.rollout);
    assert.equal(soaking.rollout?.wave, 'canary');
    assert.equal(soaking.nextCheckAt, NOW + 600_000);
    const doneAt = new Date(NOW - 600_000).toISOString();
    const watched = {
      ...soaking.rollout,
      waves: soaking.rollout?.waves?.map((wave) => ({ ...wave, doneAt })),
    };
    const next = plan({ total: 3, standings: arrived, failed: [] }, watched);
    assert.equal(next.rollout?.wave, 'rest');
    const all = [standing(0, 'succeeded', 1), standing(1, 'succeeded', 2)];
    assert.equal(plan({ total: 3, standings: all, failed: [] }, next.rollout).complete, true);
  });

  it('halt the rollout when they fail, and are named', () => {
    const first = plan({ total: 3, standings: [], failed: [], deal }).rollout;
    const failed = plan({ total: 3, standings: [standing(0, 'failed', 1)], failed: ['m1'] }, first);
    assert.deepEqual(failed.rollout?.halted?.nodes, ['m1']);
    assert.match(failed.rollout?.halted?.reason ?? '', /1 of 1 nodes that tried 2.0.0 failed/);
  });

  it('halt it as a lost wave, however many failures are tolerated', () => {
    const first = plan({ total: 3, standings: [], failed: [], deal }).rollout;
    const tolerant = { haltOn: { failures: 100 } };
    const lost = plan({ total: 3, standings: [standing(0, 'failed', 1)], failed: ['m1'] }, first, tolerant);
    assert.match(lost.rollout?.halted?.reason ?? '', /no node of wave canary arrived/);
  });
});
