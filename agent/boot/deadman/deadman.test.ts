import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { deadmanUnits, SERVICE, TIMER } from './deadman-units.ts';
import { HostDeadman } from './host-deadman.ts';

const SLOT = 'e03dd35c-7c2d-4a47-b3fe-27f15780a57c';
const trial = { partUUID: SLOT, judgedMs: 600_000, tries: 2 };

let root: string;
let told: string[] = [];
let deadman: HostDeadman;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'careen-deadman-'));
  told = [];
  const log = { info: () => log, warn: (message: string) => (told.push(message), log) } as never;
  deadman = new HostDeadman({ root, stateDir: join(root, 'var/lib/careen'), log });
  await mkdir(join(root, 'etc/systemd/system'), { recursive: true });
  await mkdir(join(root, 'var/lib/careen'), { recursive: true });
});

afterEach(() => rm(root, { recursive: true, force: true }));

const units = (...path: string[]) => join(root, 'etc/systemd/system', ...path);
const tokens = () => readdir(join(root, 'var/lib/careen/deadman')).catch(() => undefined);

test('it fires a minute after the agent should have judged, in a boot of that slot only, once a token', () => {
  const plan = { partUUID: SLOT, firesMs: 660_000, tries: 2, tokens: '/var/lib/careen/deadman' };
  const { timer, service } = deadmanUnits(plan);
  assert.match(timer, /^OnBootSec=660s$/m);
  for (const text of [timer, service]) {
    assert.match(text, new RegExp(`^ConditionKernelCommandLine=\\|mount\\.usr=PARTUUID=${SLOT}$`, 'm'));
    assert.match(text, /^ConditionPathExistsGlob=\/var\/lib\/careen\/deadman\/\*$/m);
    assert.ok(text.length < 2000);
  }
  assert.match(service, /^SuccessAction=reboot$/m);
  assert.match(service, /"rm \/var\/lib\/careen\/deadman\/1 \|\| rm \/var\/lib\/careen\/deadman\/2"$/m);
  assert.throws(() => deadmanUnits({ ...plan, partUUID: 'x"; reboot -f' }), RangeError);
  assert.throws(() => deadmanUnits({ ...plan, tokens: '/a b' }), RangeError);
});

test('armed, it is enabled on the host and has a token for each try', async () => {
  await deadman.arm(trial);
  assert.deepEqual(told, []);
  assert.equal(await readlink(units('timers.target.wants', TIMER)), `../${TIMER}`);
  assert.match(await readFile(units(TIMER), 'utf8'), /^OnBootSec=660s$/m);
  assert.match(await readFile(units(SERVICE), 'utf8'), new RegExp(SLOT));
  assert.deepEqual(await tokens(), ['1', '2']);
});

test('disarmed, nothing of it is left, and it tells how often it had not fired yet', async () => {
  assert.equal(await deadman.disarm(), undefined, 'nothing to do, and nobody to ask');
  assert.deepEqual(told, []);
  await deadman.arm(trial);
  await rm(join(root, 'var/lib/careen/deadman/1'));
  assert.equal(await deadman.disarm(), 1);
  assert.deepEqual(await readdir(units()), ['timers.target.wants']);
  assert.deepEqual(await readdir(units('timers.target.wants')), []);
  assert.equal(await tokens(), undefined);
  assert.match(told.join(), /stop its timer/, 'there is no systemd here');
  assert.equal(await deadman.disarm(), undefined);
});

test('armed again after it was cut off anywhere, it is whole', async () => {
  await deadman.arm(trial);
  await writeFile(units(`${TIMER}.new`), 'half');
  await writeFile(units('timers.target.wants', `${TIMER}.new`), '');
  await rm(join(root, 'var/lib/careen/deadman'), { recursive: true });
  await deadman.arm({ ...trial, judgedMs: 30_000 });
  assert.deepEqual(await readdir(units('timers.target.wants')), [TIMER]);
  assert.match(await readFile(units(TIMER), 'utf8'), /^OnBootSec=90s$/m);
  assert.deepEqual(await tokens(), ['1', '2']);
});

test('where the host takes no units, the machine goes without one and says so', async () => {
  await rm(units(), { recursive: true });
  await writeFile(units(), 'no directory');
  await deadman.arm(trial);
  assert.match(told.join(), /no deadman/);
  assert.equal(await tokens(), undefined);
  assert.equal(await deadman.disarm(), undefined);
});

test('where the host does not see the agent’s state, there is none either', async () => {
  const log = { warn: (message: string) => told.push(message) } as never;
  await new HostDeadman({ root, stateDir: tmpdir(), log }).arm(trial);
  assert.match(told.join(), /no deadman/);
  assert.deepEqual(await readdir(units()), []);
});
