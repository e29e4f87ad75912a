import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CORDON_ANNOTATION, KEEP_CORDONED_ANNOTATION } from '#api/group.ts';
import type { KubeObject } from '#api/meta.ts';
import { PHASES, type Phase } from '#api/node-state.ts';
import type { Holder } from '#api/reboot-lock.ts';
import { decide } from '../lock/decide.ts';
import { clusterOf, snapshotOf } from '../simulation/cluster-of.ts';
import type { World } from '../simulation/world.ts';
import { belongings, type Belonging } from './belongings.ts';

interface Situation {
  phase: Phase;
  cordoned: boolean;
  marked: boolean;
  keep: boolean;
  grant: boolean;
  hold: boolean;
  place: boolean;
}

const situation: fc.Arbitrary<Situation> = fc.record({
  phase: fc.constantFrom(...PHASES),
  cordoned: fc.boolean(),
  marked: fc.boolean(),
  keep: fc.boolean(),
  grant: fc.boolean(),
  hold: fc.boolean(),
  place: fc.boolean(),
});

function arrange(situations: readonly Situation[]): World {
  const { world } = clusterOf(situations.length, { max: 10 });
  const holders: Holder[] = [];
  for (const [index, { phase, cordoned, marked, keep, grant, hold, place }] of situations.entries()) {
    const name = `n${index}`;
    world.editNode(name, (node) => {
      node.spec = cordoned ? { unschedulable: true } : {};
      node.metadata.annotations = {
        ...(marked ? { [CORDON_ANNOTATION]: 'me@2026-11-21T10:00:00Z' } : {}),
        ...(keep ? { [KEEP_CORDONED_ANNOTATION]: '' } : {}),
      };
    });
    const at = world.iso();
    world.editState(name, (state) => {
      state.status = { bootID: `${name}-1`, update: { phase, since: at } };
      const open = {
        id: '1/a',
        nodeUID: `uid-${name}`,
        bootID: `${name}-1`,
        notAfter: at,
        mode: 'reboot' as const,
      };
      const said = { reason: 'LockFull' as const, message: '', since: at };
      state.spec = { reboot: { ...(grant ? { grant: open } : {}), ...(hold ? { hold: said } : {}) } };
    });
    if (place)
      holders.push({ id: name, uid: `uid-${name}`, bootID: `${name}-1`, since: at, reason: '', by: 'me' });
  }
  world.editLock('all', (lock) => (lock.status = { observedGeneration: 1, holders }));
  return world;
}

const look = (world: World): Belonging[] =>
  belongings({
    nodes: [...world.nodes.values()],
    states: [...world.states.values()],
    locks: [...world.locks.values()],
  });

function of({ metadata: { name, uid = '', resourceVersion = '' } }: KubeObject) {
  return { name, uid, resourceVersion };
}

function carryOut(world: World, one: Belonging): void {
  if (one.what === 'reboot') world.applyReboot(of(one.state), {});
  if (one.what === 'cordon') {
    world.patchNode(of(one.node), one.stays ? undefined : null, { [CORDON_ANNOTATION]: null });
  }
  if (one.what === 'places') world.writeLock(of(one.lock), { holders: one.kept });
}

test('whatever the nodes are at: nothing of ours stays, nothing of others goes, and a second look finds nothing', () => {
  fc.assert(
    fc.property(fc.array(situation, { minLength: 1, maxLength: 6 }), (situations) => {
      const world = arrange(situations);
      const found = look(world);
      const order = found.map(({ what }) => what);
      assert.ok(order.lastIndexOf('reboot') < (order.indexOf('cordon') + 1 || Infinity), 'grants first');
      for (const one of found) carryOut(world, one);
      assert.deepEqual(look(world), []);
      for (const [index, was] of situations.entries()) {
        const node = world.nodes.get(`n${index}`);
        const down = was.phase === 'Arming' || was.phase === 'Rebooting';
        const ours = was.marked && !was.keep;
        assert.equal(world.marked(`n${index}`), false);
        assert.equal(node?.spec?.unschedulable === true, was.cordoned && !ours);
        assert.equal(KEEP_CORDONED_ANNOTATION in (node?.metadata.annotations ?? {}), was.keep);
        const reboot = world.states.get(`n${index}`)?.spec.reboot ?? {};
        assert.equal('grant' in reboot, was.grant && down, 'only an accepted grant stays');
        const away = down || was.phase === 'Verifying';
        assert.equal(
          world.holders('all').some(({ id }) => id === `n${index}`),
          was.place && away,
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('an operator that starts again afterwards counts every node that is away', () => {
  fc.assert(
    fc.property(fc.array(situation, { minLength: 1, maxLength: 6 }), (situations) => {
      const world = arrange(situations);
      for (const one of look(world)) carryOut(world, one);
      for (const name of world.nodes.keys()) world.ready(name, true);
      const holders = new Set(
        decide(snapshotOf(world))
          .locks.find(({ name }) => name === 'all')
          ?.holders.map(({ id }) => id),
      );
      for (const [index, { phase }] of situations.entries()) {
        if (phase === 'Arming' || phase === 'Rebooting')
          assert.ok(holders.has(`n${index}`), `n${index} is not counted`);
      }
    }),
    { numRuns: 500 },
  );
});
