import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { World } from './testing/world.ts';
import type { Cut, Scenario } from './testing/scenario.ts';

async function play(scenario: Partial<Scenario>, version = '2.0.0'): Promise<World> {
  const world = new World({ behaviour: 'ok', cuts: [], ...scenario });
  await world.play(version);
  return world;
}

function arrived(world: World): void {
  assert.equal(world.disk.running.version, '2.0.0', world.effects.join(', '));
  assert.equal(world.disk.running.successful, true);
  assert.equal(world.status?.update?.phase, 'Succeeded');
  assert.equal(world.status.reboot, undefined);
  assert.equal(world.status.history?.length, 1);
  assert.equal(world.deadman.left, undefined);
}

function wentBack(world: World, code: string): void {
  assert.equal(world.disk.running.version, '1.0.0', world.effects.join(', '));
  assert.equal(world.disk.running.successful, true);
  assert.equal(world.status?.update?.phase, 'RolledBack');
  assert.equal(world.status.update.error?.code, code);
  assert.equal(world.status.quarantine?.[0]?.version, '2.0.0');
}

test('a version is staged, granted, booted, found healthy and marked good', async () => {
  arrived(await play({}));
});

test('a version that does not boot is rolled back and not tried again', async () => {
  wentBack(await play({ behaviour: 'no-boot' }), 'BootFailed');
});

test('a version that is never healthy is rolled back at the deadline', async () => {
  const world = await play({ behaviour: 'unhealthy' });
  wentBack(world, 'HealthDeadline');
  assert.equal(world.status?.health?.checks[0]?.passed, false);
});

test('a version that comes up without its agent is taken back by the deadman, which is gone afterwards', async () => {
  const world = await play({ behaviour: 'no-agent' });
  wentBack(world, 'BootFailed');
  assert.match(world.status?.update?.error?.message ?? '', /without its agent/);
  assert.equal(world.effects.filter((effect) => effect === 'deadman').length, 2, 'once a try');
  assert.equal(world.deadman.left, undefined);
});

test('killed or without power before or after any effect, it arrives all the same', async () => {
  const effects = (await play({})).effects.length;
  for (const what of ['kill', 'power'] as const) {
    for (const when of ['before', 'after'] as const) {
      for (let effect = 1; effect <= effects; effect += 1) {
        arrived(await play({ cuts: [{ effect, when, what }] }));
      }
    }
  }
});

test('killed before or after any effect, a broken version is rolled back all the same', async () => {
  for (const behaviour of ['no-boot', 'unhealthy', 'no-agent'] as const) {
    const effects = (await play({ behaviour })).effects.length;
    for (const when of ['before', 'after'] as const) {
      for (let effect = 1; effect <= effects; effect += 1) {
        const world = await play({ behaviour, cuts: [{ effect, when, what: 'kill' }] });
        wentBack(world, behaviour === 'unhealthy' ? 'HealthDeadline' : 'BootFailed');
        assert.equal(world.deadman.left, undefined);
      }
    }
  }
});

test('a wall clock that is set by a day, at any time, changes nothing', async () => {
  const DAY = 86_400_000;
  const { effects, now } = await play({});
  for (const ms of [DAY, -DAY]) {
    for (let after = 0; after <= effects.length; after += 1) {
      const world = await play({ jump: { after, ms } });
      arrived(world);
      // A grant that looks as if it had ended is given anew, at most.
      assert.ok(world.now - now < 60_000, `after ${effects[after]}: ${world.now - now} ms longer`);
      const back = await play({ behaviour: 'unhealthy', jump: { after, ms }, deaf: 1 });
      wentBack(back, 'HealthDeadline');
    }
  }
});

test('a machine that ignores a request to reboot is told again within minutes, also when its clock is set', async () => {
  for (const ms of [86_400_000, -86_400_000]) {
    const { effects } = await play({});
    const asked = effects.indexOf('reboot');
    const start = new World({ behaviour: 'ok', cuts: [] }).now;
    const world = await play({ deaf: 1, jump: { after: asked, ms } });
    arrived(world);
    assert.ok(world.now - start < 10 * 60_000, `${world.now - start} ms`);
  }
});

test('a staged slot that somebody wrote to is never booted but staged again', async () => {
  const world = await play({ meddled: true });
  arrived(world);
  assert.equal(world.effects.filter((effect) => effect === 'write slot').length, 2);
});

test('an image of another version than it was published as is tried once and never again', async () => {
  const world = await play({ mislabelled: true });
  wentBack(world, 'VersionMismatch');
  assert.equal(world.effects.filter((effect) => effect === 'write slot').length, 1);
  assert.match(world.status?.update?.error?.message ?? '', /published as 2\.0\.0 holds 1\.5\.0/);
});

const cut: fc.Arbitrary<Cut> = fc.record({
  effect: fc.integer({ min: 1, max: 40 }),
  when: fc.constantFrom('before', 'after'),
  what: fc.constantFrom('kill', 'power'),
});

test('whatever is cut, away or deaf, it ends on a good slot and says what became of it', async () => {
  const scenario: fc.Arbitrary<Scenario> = fc.record({
    behaviour: fc.constantFrom('ok', 'no-boot', 'unhealthy', 'no-agent'),
    cuts: fc.array(cut, { maxLength: 6 }),
    away: fc.option(fc.record({ from: fc.nat(30), ms: fc.nat(900_000) }), { nil: undefined }),
    conflicts: fc.boolean(),
    deaf: fc.nat(4),
    jump: fc.option(fc.record({ after: fc.nat(30), ms: fc.integer({ min: -86_400_000, max: 86_400_000 }) }), {
      nil: undefined,
    }),
    latencyMs: fc.constantFrom(0, 0, 300, 5000),
    meddled: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const world = await play(given);
      const phase = world.status?.update?.phase;
      assert.equal(world.disk.running.successful, true);
      assert.ok(phase === 'Succeeded' || phase === 'RolledBack' || phase === 'Failed', `ended as ${phase}`);
      assert.equal(phase === 'Succeeded', world.disk.running.version === '2.0.0');
      if (given.behaviour !== 'ok') assert.equal(world.disk.running.version, '1.0.0');
    }),
    { numRuns: 400 },
  );
});
