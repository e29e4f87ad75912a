import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfMount } from './check-writable.ts';
import { parseMountInfo } from './mount-info.ts';

/** A line of /proc/self/mountinfo for /etc. */
function fault(options: string, type: string, superOptions: string, onRoot = false) {
  const [mount] = parseMountInfo(
    `36 35 98:0 / /host/etc ${options} master:1 - ${type} none ${superOptions}\n`,
  );
  assert.ok(mount);
  return faultOfMount(mount, onRoot)?.code;
}

test('an /etc that takes files for good is known from one that does not (A33)', () => {
  const cases = [
    ['ext4', 'rw,noatime', 'ext4', 'rw', undefined],
    ['ext4 that an error made read-only', 'rw', 'ext4', 'ro,errors=remount-ro', 'ReadOnly'],
    ['read-only for this mount alone', 'ro', 'xfs', 'rw', 'ReadOnly'],
    ['squashfs (Talos)', 'ro', 'squashfs', 'ro', 'ReadOnly'],
    ['tmpfs (Bottlerocket)', 'rw', 'tmpfs', 'rw,mode=755', 'Unsupported'],
    [
      'overlay on the disk (Flatcar)',
      'rw',
      'overlay',
      'rw,lowerdir=/a,upperdir=/sysroot/etc,workdir=/w',
      undefined,
    ],
    [
      'overlay in memory',
      'rw',
      'overlay',
      'rw,lowerdir=/a,upperdir=/run/etc/upper,workdir=/run/etc/work',
      'Unsupported',
    ],
    [
      'overlay without a place to write (confext)',
      'ro',
      'overlay',
      'ro,lowerdir=/run/systemd/confext',
      'Unsupported',
    ],
  ] as const;
  for (const [what, options, type, superOptions, expected] of cases)
    assert.equal(fault(options, type, superOptions), expected, what);
});

test('a host that is in memory as a whole is configured anew at each boot', () => {
  assert.equal(fault('rw', 'tmpfs', 'rw', true), undefined);
});

test('mount points with blanks are read as they are', () => {
  const [mount] = parseMountInfo(String.raw`1 0 0:1 / /a\040b rw - ext4 /dev/sda rw`);
  assert.equal(mount?.point, '/a b');
});
