import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { documentOf, file } from '../testing/document.ts';
import { planSysctls } from './plan-sysctls.ts';
import { wantedSysctls } from './wanted-sysctls.ts';

test('settings are known from every file that systemd-sysctl would read, by any name', () => {
  const document = documentOf({
    files: [
      file('/etc/sysctl.d/99-zz-careen.conf', 'net.ipv4.ip_forward = 1\nvm/swappiness=10\n'),
      file('/etc/sysctl.d/10-own.conf', '-kernel.panic=5\n# kernel.sysrq = 1\n'),
      file('/etc/sysctl.d/README', 'kernel.sysrq = 1\n'),
      file('/etc/motd', 'vm.overcommit_memory = 1\n'),
    ],
  });
  assert.deepEqual(wantedSysctls(document), ['kernel/panic', 'net/ipv4/ip_forward', 'vm/swappiness']);
});

test('what leads out of /proc/sys is no setting, nor is a pattern one that is known', () => {
  const text = '../../etc/passwd = x\nnet/./ipv4 = 1\n/kernel/panic = 1\nnet.ipv4.conf.*.rp_filter = 1\n';
  assert.deepEqual(wantedSysctls(documentOf({ files: [file('/etc/sysctl.d/a.conf', text)] })), []);
});

const key = fc.constantFrom('a', 'b', 'c', 'd');
const values = fc.dictionary(key, fc.constantFrom('0', '1', '2'));

/** The kernel after a change: files first say nothing, then settings that are wanted are made, others given back. */
function after(
  running: Record<string, string>,
  made: Record<string, string>,
  back: readonly { key: string; to?: string }[],
) {
  const given = Object.fromEntries(
    back.flatMap(({ key: name, to }) => (to === undefined ? [] : [[name, to]])),
  );
  return { ...running, ...given, ...made };
}

test('whatever was wanted in between, removal gives every setting back as it was before careen came', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 5 }), (wishes) => {
      const shipped: Record<string, string> = { a: '7', b: '8', c: '9', d: '6' };
      let running = shipped;
      let owned: Record<string, string> = {};
      for (const made of [...wishes, {}]) {
        const wanted = Object.keys(made);
        const plan = planSysctls({ wanted, owned, running: new Map(Object.entries(running)), applied: true });
        const before = running;
        running = after(running, made, plan.changes);
        // Undone, all would be as it was.
        const undone = Object.fromEntries(plan.changes.map((change) => [change.key, change.from]));
        assert.deepEqual({ ...running, ...undone }, before);
        ({ owned } = plan);
      }
      assert.deepEqual(running, shipped);
      assert.deepEqual(owned, {});
    }),
    { numRuns: 2000 },
  );
});

test('a setting that the kernel does not know is left alone', () => {
  const world = { wanted: ['x'], owned: { y: '1' }, running: new Map(), applied: true };
  assert.deepEqual(planSysctls(world), { changes: [], owned: {} });
});
