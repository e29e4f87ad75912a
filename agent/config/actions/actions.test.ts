import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { DisruptionRule } from '#api/config-fields.ts';
import { effectsOf, unitOf } from './effects.ts';
import { nameOf, stepsOf, undoOf } from './steps.ts';
import { undoScript } from '../confirm/undo-script.ts';

const rules: DisruptionRule[] = [
  { match: { path: '/etc/chrony/' }, action: 'Reload', unit: 'chronyd.service' },
  { match: { path: '/etc/sysctl.d/' }, action: 'Restart', unit: 'systemd-sysctl.service' },
  { match: { unit: 'a.service' }, action: 'Restart', unit: 'a.service' },
  { match: { unit: 'kubelet.service' }, action: 'Drain', unit: 'kubelet.service' },
  { match: { setting: 'kernelArguments' }, action: 'Reboot' },
  { match: { path: '/' }, action: 'None' },
];
const paths = [
  '/etc/chrony/a',
  '/etc/chrony/b',
  '/etc/sysctl.d/x',
  '/etc/systemd/system/a.service',
  '/etc/systemd/system/a.service.d/x.conf',
  '/etc/systemd/system/kubelet.service.d/x.conf',
  '/etc/motd',
];
const none = { units: [], gone: new Set<string>(), running: new Set<string>(), kernelArguments: false };

test('each thing follows once, settings first and what the node hangs on last', () => {
  const effects = effectsOf(
    [...paths, ...paths].map((path) => ({ path })),
    rules,
  );
  assert.deepEqual(
    stepsOf({ ...none, effects }).map((step) => nameOf(step)),
    [
      'daemonReload',
      'reload:chronyd.service',
      'restart:systemd-sysctl.service',
      'restart:a.service',
      'restart:kubelet.service',
    ],
  );
  assert.equal(effects.drains, true);
});

test('what follows does not depend on the order of the changes', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(paths), (some) => {
      const touched = some.map((path) => ({ path }));
      assert.deepEqual(effectsOf(touched, rules), effectsOf(touched.toReversed(), rules));
    }),
  );
});

test('a node that reboots restarts nothing before; a unit that is enabled or whose file goes is not restarted', () => {
  const touched = [...paths.map((path) => ({ path })), { setting: 'kernelArguments' as const }];
  const effects = effectsOf(touched, rules);
  assert.deepEqual([effects.reboots, effects.restart, effects.reload], [true, [], []]);
  assert.deepEqual(effectsOf([{ unit: 'a.service' }], rules).restart, []);
  const gone = effectsOf([{ path: '/etc/systemd/system/a.service' }], rules);
  const steps = stepsOf({ ...none, effects: gone, gone: new Set(['a.service']) });
  assert.deepEqual(
    steps.map((step) => nameOf(step)),
    ['daemonReload'],
  );
});

test('the way back stops what was started, starts what was stopped, and begins with what stops', () => {
  const effects = effectsOf([{ path: '/etc/systemd/system/a.service' }], rules);
  const units = [
    { name: 'new.service', enable: true, run: true },
    { name: 'old.service', enable: false, run: false },
  ];
  const steps = stepsOf({ ...none, effects, units, hostname: { from: 'x', to: 'y' } });
  const back = undoOf(steps);
  assert.deepEqual(
    back.map((step) => nameOf(step)).toSorted(),
    [
      'daemonReload',
      'disable:new.service',
      'enable:old.service',
      'hostname',
      'restart:a.service',
      'start:old.service',
      'stop:new.service',
    ].toSorted(),
  );
  assert.deepEqual(
    back.slice(0, 2).map((step) => step.unit),
    ['new.service', 'new.service'],
  );
  assert.equal(back.find((step) => step.do === 'hostname')?.to, 'x');
  const script = undoScript(
    { timeoutMs: 1, boots: 1, files: ['FILES'], undo: back },
    '/var/lib/careen/confirm',
  );
  assert(script.indexOf('FILES') < script.indexOf('systemctl daemon-reload'));
  assert.match(script, /systemctl stop 'new\.service'/);
});

test('a file in a directory of units is one, and one in NAME.d belongs to NAME', () => {
  assert.equal(unitOf('/etc/systemd/system/a.service'), 'a.service');
  assert.equal(unitOf('/etc/systemd/system/a.service.d'), 'a.service');
  assert.equal(unitOf('/etc/systemd/system/a@.service.d/x.conf'), 'a@.service');
  assert.equal(unitOf('/etc/systemd/network/a.network'), undefined);
});
