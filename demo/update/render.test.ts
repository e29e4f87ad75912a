import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { render, slotText } from './render.ts';
import type { MachineView, Scene } from './scene.ts';

const machine: MachineView = {
  name: 'machine-1',
  runs: '1.0.0',
  slots: [
    { name: 'USR-A', version: '1.0.0', priority: 2, tries: 0, successful: true, booted: true, next: true },
    { name: 'USR-B', priority: 0, tries: 0, successful: false, booted: false, next: false },
  ],
  phase: 'Staging',
  progress: 0.62,
  holdsPlace: false,
  available: true,
  why: 'LockFull: 2 of 2 places are taken by machine-4 and machine-5, and this sentence is longer than the line',
};

const scene: Scene = {
  chapter: '2.0.0 is published',
  elapsedMs: 62_000,
  machines: [machine],
  leaders: [{ operator: 'careen-update', pod: 'careen-update-x', node: 'machine-3', renewedAt: 0 }],
  places: { max: 2, holders: ['machine-4', 'machine-5'] },
  pods: { ready: 11, wanted: 12, budget: 10 },
  unavailable: { now: 2, worst: 2 },
};

test('the picture shows slots, progress, places and pods, and no line is wider than the terminal', () => {
  const lines = render(scene, 120).map(stripVTControlCharacters);
  assert.match(lines[0] ?? '', /careen · 2\.0\.0 is published +01:02/);
  assert.match(lines[3] ?? '', /machine-1 +1\.0\.0 +▶1\.0\.0 2\/0 good +– 0\/0 +Staging ██████░░░░ 62%/);
  assert.ok(lines.some((line) => line.includes('2 of 2 places taken: machine-4, machine-5')));
  assert.ok(lines.some((line) => line.includes('update on machine-3')));
  assert.ok(lines.some((line) => line.includes('11 of 12 pods ready')));
  for (const line of lines) assert.ok(line.length <= 120, line);
});

test('machines that have systemd show which', () => {
  const machines = [{ ...machine, systemd: '252' }];
  const lines = render({ ...scene, machines }, 130).map(stripVTControlCharacters);
  assert.match(lines[2] ?? '', /RUNS +SYSTEMD +USR-A/);
  assert.match(lines[3] ?? '', /1\.0\.0 +252 +▶1\.0\.0/);
});

test('a halted rollout says why', () => {
  const lines = render({ ...scene, halted: '2 nodes failed 3.0.0' }, 120).map(stripVTControlCharacters);
  assert.ok(lines.some((line) => line.includes('halted') && line.includes('2 nodes failed 3.0.0')));
});

test('the slot that the firmware takes next is marked', () => {
  assert.equal(
    slotText({
      name: 'USR-B',
      version: '2.0.0',
      priority: 2,
      tries: 3,
      successful: false,
      booted: false,
      next: true,
    }),
    '★2.0.0 2/3',
  );
});
