import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HostSysctls } from './host-sysctls.ts';

/** In a network namespace of its own, which ends with the program: nothing of this machine is changed. */
function programs(): HostSysctls {
  return new HostSysctls(async ([program = '', , script = '', ...words]) => {
    const inside = ['--net', program, '-c', script, ...words];
    const { status, stdout, stderr } = spawnSync('unshare', inside, { encoding: 'utf8' });
    return { status: status ?? undefined, output: stdout + stderr };
  });
}

const skip = process.getuid?.() === 0 ? false : 'namespaces need root';

test(
  'settings are read by key, as many as there are, and what there is not is not made up',
  { skip },
  async () => {
    const some = ['kernel/ostype', 'no/such', 'net/ipv4/tcp_rmem', 'kernel/pid_max', 'kernel/osrelease'];
    const more = ['net/ipv4/tcp_keepalive_time', 'net/ipv4/ip_forward', 'kernel/panic', 'vm/swappiness'];
    const found = await programs().read([...some, ...more]);
    assert.equal(found.get('kernel/ostype'), 'Linux');
    assert.match(found.get('net/ipv4/tcp_rmem') ?? '', /^\d+\t\d+\t\d+$/);
    assert.equal(found.get('vm/swappiness'), readFileSync('/proc/sys/vm/swappiness', 'utf8').trim());
    assert.equal(found.has('no/such'), false);
    assert.equal(found.size, some.length + more.length - 1);
  },
);

test('a setting is made, and what the kernel does not take is told', { skip }, async () => {
  const check = 'test "$(cat /proc/sys/net/ipv4/tcp_keepalive_time)" = 1234';
  // The second program of the namespace sees what the first has made.
  const sysctls = new HostSysctls(async ([program = '', , script = '', ...words]) => {
    const { status } = spawnSync('unshare', ['--net', program, '-c', `{ ${script}; } && ${check}`, ...words]);
    return { status: status ?? undefined, output: '' };
  });
  await sysctls.write('net/ipv4/tcp_keepalive_time', '1234');
  await assert.rejects(programs().write('kernel/ostype', 'Other'), { code: 'ActionFailed' });
});
