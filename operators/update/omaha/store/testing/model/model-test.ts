import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { MachineStore } from '../../store.ts';
import { key, MINUTE, NOW, POLICY, SIGHTING, sweepAll } from '../machines.ts';
import { assertCounted } from '../recount.ts';
import type { MakeStore } from '../store-under-test.ts';
import { decisionOf, steps, type Command, type Step } from './command.ts';
import { Model, SILENT_MS } from './model.ts';

/** Whatever is asked in whatever order, at once or not: the store does what its model does. */
export function modelTest(make: MakeStore, numRuns: number): void {
  test('whatever machines and nodes ask for, the store answers and counts as its model', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        const { store } = await make();
        await play(store, given);
        await store.close();
      }),
      { numRuns, endOnFailure: true },
    );
  });
}

async function play(store: MachineStore, given: readonly Step[]): Promise<void> {
  const model = new Model();
  let now = NOW;
  for (const { minutes, commands, sweep } of given) {
    now += minutes * MINUTE;
    const answers = await Promise.all(commands.map((command) => carryOut(store, command, now)));
    assert.deepEqual(
      answers,
      commands.map((command) => model.apply(command, now)),
    );
    if (!sweep) continue;
    await sweepAll(store, now, { ...POLICY, silentMs: SILENT_MS, forgetMs: 1e12 });
    model.sweep(now);
  }
  for (const group of ['edge', 'core']) await compare(store, model, group);
}

async function carryOut(store: MachineStore, command: Command, now: number): Promise<unknown> {
  if (command.do === 'hold') {
    const { group, held, more, limits } = command;
    return store.holdNodes(group, held, more, limits, now);
  }
  const { id, group, version, saying } = command;
  const told = { ...SIGHTING, group, version };
  const { machine, full } = await store.contact(key(id), told, now, () => decisionOf(saying, now));
  return [machine.phase, machine.grant?.version, full];
}

async function compare(store: MachineStore, model: Model, group: string): Promise<void> {
  await assertCounted(store, group);
  const { inProgress, nodes, archived, standings } = await store.group(group);
  const machines = [...model.machines.values()].filter((machine) => machine.group === group);
  assert.deepEqual(
    [inProgress, nodes, archived],
    [model.inProgress(group), model.nodes.get(group) ?? 0, machines.filter((one) => one.archived).length],
  );
  const failed = standings.find(({ outcome }) => outcome === 'failed')?.machines ?? 0;
  assert.equal(failed, machines.filter(({ outcome }) => outcome === 'failed').length);
}
