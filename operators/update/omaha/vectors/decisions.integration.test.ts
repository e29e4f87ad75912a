import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { orderKey } from '#operators/rollout/waves.ts';
import { saltOf } from '../decide/machine-place.ts';
import type { Machine } from '../store/machine.ts';
import { app, CHECK, event, PING, previous, request } from '../testing/sample-requests.ts';
import type { GroupOptions } from '../testing/served.ts';
import { Served, service } from '../testing/served.ts';

/** What the reference says of decisions, policies and events, V27 to V62, over HTTP and on a store in a file. */
let served: Served;
let machines = 0;

before(async () => {
  served = await Served.start();
});
after(() => served?.stop());
// Each test has a group and a rollout of its own: the store remembers.
let group = '';
beforeEach(() => {
  group = `group-${(machines += 1)}`;
  declare();
});

function declare(options: GroupOptions = {}): void {
  served.services = [service({ name: group, ...options })];
}

/** A machine that has never been seen. */
function machine(): string {
  return `machine-${(machines += 1)}`;
}

const tell = (machineid: string, inner: string, changes: Record<string, string> = {}, source = 'scheduler') =>
  served.ask(request(app(inner, { machineid, ...changes }), undefined, source));

/** The version that a check is given, or why it is given none. */
async function check(
  machineid: string,
  changes: Record<string, string> = {},
  events = previous(''),
): Promise<string> {
  const text = await tell(machineid, PING + CHECK + events, changes);
  assert.match(text, /<app appid="[^"]+" status="ok">/);
  const version = /<manifest version="([^"]+)"/.exec(text)?.[1];
  if (version !== undefined) return version;
  assert.match(text, /<updatecheck( PollInterval="[0-9]+")? status="noupdate"><urls><\/urls><\/updatecheck>/);
  return (await kept(machineid)).hold?.reason ?? 'UpToDate';
}

async function kept(machineid: string): Promise<Machine> {
  const found = await served.machine(machineid);
  assert.ok(found !== undefined, `${machineid} is not known`);
  return found;
}

const phase = async (machineid: string) => (await kept(machineid)).phase;
const MINUTE = 60_000;

/** A rollout that has not come to anybody yet. */
const LATER = {
  update: { rollout: { linear: { duration: '1h' } } },
  rollout: { startedAt: '2099-01-01T00:00:00Z' },
};

describe('a check', () => {
  it('V27: of an older machine is answered with the package, of any other with noupdate', async () => {
    const text = await tell(machine(), PING + CHECK + previous('0.0.0.0'));
    assert.ok(
      text.endsWith(
        '<ping status="ok"></ping><updatecheck status="ok"><urls><url codebase="https://mirror.example/amd64-usr/2.0.0/"></url></urls><manifest version="2.0.0"><packages><package name="update.gz" hash="mAFznarkTsUpPU4fU9P00tQm2Rw=" size="465881871" required="true"></package></packages><actions><action event="postinstall" sha256="EqYfThc/s6EcBdZHH3Ryj3YjG0pfzZZnzvOvh6OuTcI=" DisablePayloadBackoff="true"></action></actions></manifest></updatecheck><event status="ok"></event></app></response>',
      ),
      text,
    );
    assert.equal(await check(machine(), { version: '2.0.0' }), 'UpToDate');
    assert.equal(await check(machine(), { version: '2.0.0-rc.1' }), '2.0.0');
    assert.equal(await check(machine(), { version: '3.0.0' }), 'DowngradeNotAllowed');
  });

  it('V28: is not answered with a downgrade, unless that is allowed', async () => {
    const one = machine();
    declare({ update: { version: '1.0.0' } });
    assert.equal(await check(one, { version: '2.0.0' }), 'DowngradeNotAllowed');
    declare({ update: { version: '1.0.0', allowDowngrade: true } });
    assert.equal(await check(one, { version: '2.0.0' }), '1.0.0');
    assert.equal(await check(one, { version: '1.0.0' }, previous('2.0.0')), 'UpToDate');
    assert.equal(await phase(one), 'Complete');
  });

  it('V29: is held where there is no channel, no release and no plan', async () => {
    served.services = [
      { ...service({ name: group }), channel: { missing: 'there is no UpdateChannel stable' } },
    ];
    assert.equal(await check(machine()), 'NoChannel');
    served.services = [{ ...service({ name: group }), rollout: undefined }];
    assert.equal(await check(machine()), 'NotPlanned');
    declare({ rollout: { target: '2.0.0' }, blocked: ['2.0.0'] });
    assert.equal(await check(machine()), 'Blocked');
  });

  it('V30, V31: is held while the group is paused and outside of its hours', async () => {
    declare({ update: { paused: true } });
    assert.equal(await check(machine()), 'Paused');
    declare({ closed: { reason: 'OutsideHours', message: 'window nights is closed' } });
    assert.equal(await check(machine()), 'OutsideHours');
  });

  it('V32: of a machine that was given a version gets the same again, whatever the throttles say now', async () => {
    const one = machine();
    assert.equal(await check(one), '2.0.0');
    const { grant } = await kept(one);
    declare({ update: { rollout: { maxStaging: 0, linear: { duration: '90000h' } } } });
    served.now += MINUTE;
    assert.equal(await check(one), '2.0.0');
    assert.deepEqual((await kept(one)).grant, grant);
  });

  it('V33, V61: in the midst of an update is held, until the update has taken too long', async () => {
    const one = machine();
    await check(one);
    await tell(one, event(13, 1));
    assert.equal(await check(one, {}, ''), 'InProgress');
    served.now += 59 * MINUTE;
    assert.equal(await check(one, {}, ''), 'InProgress');
    served.now += 2 * MINUTE;
    assert.equal(await check(one, {}, ''), 'BackingOff');
    served.now += MINUTE;
    assert.equal(await check(one, {}, ''), '2.0.0');
  });

  it('V34: names the further files of a release', async () => {
    declare({ releases: [{ version: '2.0.0', extra: true }] });
    assert.match(
      await tell(machine(), CHECK),
      /<package name="oem-azure.gz" hash="mAFznarkTsUpPU4fU9P00tQm2Rw=" hash_sha256="12a61f4e173fb3a11c05d6471f74728f76231b4a5fcd9667cef3af87a3ae4dc2" size="7" required="false">/,
    );
  });

  it('V35: passes through floors, one at a time', async () => {
    declare({
      releases: [{ version: '1.5.0', floor: true }, { version: '1.7.0', floor: true }, { version: '2.0.0' }],
    });
    const one = machine();
    assert.equal(await check(one), '1.5.0');
    assert.equal(await check(one, { version: '1.5.0' }, previous('1.0.0')), 'UpToDate');
    assert.equal(await phase(one), 'Complete');
    assert.equal(await check(one, { version: '1.5.0' }), '1.7.0');
    assert.equal(await check(one, { version: '1.7.0' }, previous('1.5.0')), 'UpToDate');
    assert.equal(await check(one, { version: '1.7.0' }), '2.0.0');
  });

  it('V36: of a mirror is given every step at once, and of one that takes only one none past a floor', async () => {
    const releases = [
      { version: '1.5.0', floor: true, floorReason: 'moves the loader' },
      { version: '2.0.0' },
    ];
    declare({ releases });
    const mirror = (attributes: Record<string, string>) =>
      served.ask(
        request(app(CHECK, { machineid: 'a-mirror', ...attributes })).replace(
          'version="update_engine-0.4.10"',
          'version="CoreOSUpdateEngine-0.1.0.0"',
        ),
      );
    const all = await mirror({ multi_manifest_ok: 'true' });
    assert.match(
      all,
      /<manifest version="1.5.0" is_floor="true" floor_reason="moves the loader">.*<manifest version="2.0.0" is_target="true">/,
    );
    assert.match(await mirror({}), /<updatecheck status="noupdate">/);
    assert.match(await mirror({ version: '1.5.0' }), /<manifest version="2.0.0">/);
    assert.equal(await served.machine('a-mirror'), undefined);
    const floors = ['1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0', '1.6.0'].map((version) => ({
      version,
      floor: true,
    }));
    declare({ releases: [...floors, { version: '2.0.0' }] });
    const given = [...(await mirror({ multi_manifest_ok: 'true' })).matchAll(/<manifest version="([^"]+)"/g)];
    assert.deepEqual(
      given.map(([, version]) => version),
      ['1.1.0', '1.2.0', '1.3.0', '1.4.0', '1.5.0'],
    );
  });

  it('says how soon to ask again where the group does', async () => {
    declare({ omaha: { pollInterval: '2h' } });
    assert.match(await tell(machine(), CHECK), /<updatecheck PollInterval="7200" status="ok">/);
  });

  it('on demand goes before its turn only where the group lets it', async () => {
    const one = machine();
    const demand = () => tell(one, CHECK, {}, 'ondemandupdate');
    declare(LATER);
    assert.match(await demand(), /noupdate/);
    declare({ ...LATER, omaha: { onDemand: 'AtOnce' } });
    assert.match(await tell(one, CHECK), /noupdate/);
    assert.match(await demand(), /<manifest version="2.0.0">/);
  });
});

describe('a policy', () => {
  it('V38, V39: lets as many update at once as it says, and more when it says more', async () => {
    declare({ update: { rollout: { maxStaging: 1 } } });
    const second = machine();
    assert.equal(await check(machine()), '2.0.0');
    assert.equal(await check(second), 'MaxStaging');
    assert.equal(await phase(second), 'Waiting');
    declare({ update: { rollout: { maxStaging: 2 } } });
    assert.equal(await check(second), '2.0.0');
  });

  it('V38, V40: lets as many begin within a period as it says', async () => {
    declare({ update: { rollout: { maxUpdates: { count: 1, period: '15m' } } } });
    const second = machine();
    assert.equal(await check(machine()), '2.0.0');
    assert.equal(await check(second), 'MaxUpdates');
    served.now += 16 * MINUTE;
    declare({ update: { rollout: { maxStaging: 1, maxUpdates: { count: 1, period: '15m' } } } });
    assert.equal(await check(second), 'MaxStaging');
    declare({ update: { rollout: { maxUpdates: { count: 1, period: '15m' } } } });
    assert.equal(await check(second), '2.0.0');
  });

  it('V41: gets the place of a machine back that has vanished, and counts it as failed', async () => {
    declare({ update: { rollout: { maxStaging: 1, haltOn: { failures: 5 } } } });
    const [one, second] = [machine(), machine()];
    await check(one);
    assert.equal(await check(second), 'MaxStaging');
    served.now += 61 * MINUTE;
    await sweep();
    assert.equal(await check(second), '2.0.0');
    const { phase: now, failures } = await kept(one);
    assert.deepEqual([now, failures[0]?.kind], ['Failed', 'vanished']);
    const { standings } = await served.store.group(group);
    assert.ok(standings.some(({ outcome, machines: count }) => outcome === 'failed' && count === 1));
  });

  it('V42: lets a canary go first', async () => {
    const waves = [{ name: 'canary', size: 1 }];
    const [canary, other] = inOrder(machine(), machine());
    const upTo = placeOf(canary);
    declare({
      update: { rollout: { waves } },
      rollout: { wave: 'canary', waves: [{ name: 'canary', nodes: 0, done: 0, upTo }] },
    });
    assert.equal(await check(other), 'WaitingForWave');
    assert.equal(await check(canary), '2.0.0');
    declare({
      update: { rollout: { waves } },
      rollout: { wave: 'rest', waves: [{ name: 'canary', nodes: 0, done: 0, upTo }] },
    });
    assert.equal(await check(other), '2.0.0');
  });

  it('V43, V44: halts when a canary vanishes or fails, before the leader has heard of it', async () => {
    declare({ update: { rollout: { retry: { limit: 0 } } } });
    const [one, second] = [machine(), machine()];
    await check(one);
    await tell(one, event(3, 0, 268_435_465));
    assert.equal(await check(second), 'Halted');
    group = `${group}-vanished`;
    declare();
    const third = machine();
    await check(third);
    served.now += 61 * MINUTE;
    await sweep();
    assert.equal(await check(machine()), 'Halted');
  });

  it('V44: counts nodes of the cluster towards the halt', async () => {
    declare({ failedNodes: 1 });
    assert.equal(await check(machine()), 'Halted');
    declare({
      rollout: { halted: { reason: 'two nodes failed', since: '2026-01-01T00:00:00Z', nodes: [] } },
    });
    assert.equal(await check(machine()), 'Halted');
  });

  it('V45: lets a machine that failed wait, longer each time, and gives up at the limit', async () => {
    declare({ update: { rollout: { haltOn: { failures: 9 }, retry: { limit: 1, backoff: '10m' } } } });
    const one = machine();
    await check(one);
    await tell(one, event(3, 0, 9));
    assert.equal(await check(one), 'BackingOff');
    served.now += 11 * MINUTE;
    assert.equal(await check(one), '2.0.0');
    await tell(one, event(3, 0, 9));
    served.now += 60 * MINUTE;
    assert.equal(await check(one), 'RetriesExhausted');
  });

  it('V46: takes back by a pause what nobody has begun to fetch', async () => {
    const [granted, loading] = [machine(), machine()];
    await check(granted);
    await check(loading);
    await tell(loading, event(13, 1));
    declare({ update: { paused: true } });
    assert.equal(await check(granted), 'Paused');
    assert.equal((await kept(granted)).grant, undefined);
    assert.equal(await check(loading, {}, ''), 'InProgress');
  });

  it('V47: looks anew at a machine whose channel goes elsewhere meanwhile', async () => {
    const one = machine();
    await check(one);
    const releases = [{ version: '2.0.0' }, { version: '3.0.0' }];
    declare({ releases, ...LATER });
    assert.equal(await check(one), 'Throttled');
    assert.equal((await kept(one)).grant, undefined);
    declare({ releases });
    assert.equal(await check(one), '3.0.0');
  });

  it('V48: looks anew at a machine that moves to another group', async () => {
    const one = machine();
    await check(one);
    group = `${group}-other`;
    declare({ update: { rollout: { maxStaging: 0 } } });
    assert.equal(await check(one), 'MaxStaging');
    assert.equal((await kept(one)).grant, undefined);
  });

  it('V49: gives as many places as there are, however many ask at once', async () => {
    declare({ update: { rollout: { maxStaging: 10 } } });
    const asked = await Promise.all(Array.from({ length: 60 }, () => check(machine())));
    assert.equal(asked.filter((answer) => answer === '2.0.0').length, 10);
    assert.equal(asked.filter((answer) => answer === 'MaxStaging').length, 50);
  });
});

describe('an event', () => {
  it('V50, V51: of a download moves the machine on', async () => {
    const one = machine();
    assert.match(await tell(one, PING + CHECK + previous('0.0.0.0')), /<event status="ok"><\/event>/);
    assert.equal(await phase(one), 'Granted');
    for (const [told, expected] of [
      [event(13, 1), 'Downloading'],
      [event(14, 1), 'Downloaded'],
      [event(3, 1), 'Downloaded'],
      [event(800, 1), 'Installed'],
    ] as const) {
      await tell(one, told);
      assert.equal(await phase(one), expected);
    }
  });

  it('V52, V53: is not needed while it waits for the reboot; the next check tells of the new version', async () => {
    const one = machine();
    await check(one);
    for (const told of [event(13, 1), event(14, 1), event(3, 1)]) await tell(one, told);
    served.now += 10 * 60 * MINUTE;
    await tell(one, PING);
    assert.equal(await phase(one), 'Downloaded');
    assert.equal(await check(one, { version: '2.0.0' }, previous('1.0.0')), 'UpToDate');
    assert.equal(await phase(one), 'Complete');
    assert.equal((await kept(one)).grant, undefined);
  });

  it('V54: that names no version before, in the midst of an update, means that the client began anew', async () => {
    for (const none of ['', '0.0.0.0']) {
      const one = machine();
      await check(one);
      await tell(one, event(13, 1));
      assert.equal(await check(one, {}, previous(none)), '2.0.0');
      assert.equal(await phase(one), 'Granted');
    }
  });

  it('V55: of success completes the update of an application that is no OS', async () => {
    const appid = 'io.example.app';
    for (const told of [event(3, 1), event(3, 2)]) {
      declare({ omaha: { appID: appid } });
      const one = machine();
      await tell(one, CHECK, { appid });
      await tell(one, told, { appid });
      assert.equal((await served.machine(one, appid))?.phase, 'Complete');
    }
  });

  it('V56: of failure is kept in words', async () => {
    declare({ update: { rollout: { haltOn: { failures: 9 } } } });
    const one = machine();
    await check(one);
    await tell(one, event(3, 0, 268_437_959));
    const { error, phase: now, grant } = await kept(one);
    assert.deepEqual([now, grant, error?.code, error?.flags], ['Failed', undefined, 2503, 2 ** 28]);
    const [last] = await served.store.history({ group, limit: 1 });
    assert.deepEqual([last?.kind, last?.message], ['Failed', '2.0.0 failed: HTTP 503 (2503)']);
  });

  it('V56: an error of the check itself is not held against the release, one of the install is', async () => {
    const one = machine();
    assert.equal(await check(one), '2.0.0');
    assert.equal(await check(one, {}, event(3, 0, 2503)), '2.0.0', 'given again in the same request');
    assert.equal(await check(one, {}, event(3, 0, 10)), 'BackingOff');
  });

  it('V57: of a rollback quarantines the version on the machine and halts the group', async () => {
    const one = machine();
    await check(one);
    for (const told of [event(13, 1), event(14, 1), event(3, 1)]) await tell(one, told);
    assert.equal(await check(one, {}, event(3, 0, 268_435_500)), 'Quarantined');
    assert.equal(await phase(one), 'RolledBack');
    assert.equal(await check(machine()), 'Halted');
  });

  it('V57: of a rollback counts also after the place was given up', async () => {
    const one = machine();
    await check(one);
    for (const told of [event(13, 1), event(14, 1), event(3, 1)]) await tell(one, told);
    served.now += 25 * 60 * MINUTE;
    await sweep();
    assert.equal(await phase(one), 'Failed');
    assert.equal(await check(one, {}, event(3, 0, 44)), 'Quarantined');
  });

  it('V58, V59, V60: that means nothing here is acknowledged and changes nothing', async () => {
    const one = machine();
    await check(one);
    for (const told of [event(3, 9, 40), event(1, 1), event(4, 1), '<event eventresult="1"></event>']) {
      assert.match(await tell(one, told), /<event status="ok"><\/event>/);
      assert.equal(await phase(one), 'Granted');
    }
    const idle = machine();
    await check(idle, { version: '2.0.0' });
    await tell(idle, event(3, 0, 9), { version: '2.0.0' });
    assert.deepEqual([await phase(idle), (await kept(idle)).error], ['Idle', undefined]);
  });

  it('V62: that tells of a success which the version belies is not believed', async () => {
    const one = machine();
    await check(one);
    await tell(one, event(13, 1));
    await check(one, {}, previous('1999.0.0'));
    assert.notEqual(await phase(one), 'Complete');
    assert.ok((await kept(one)).grant !== undefined);
  });
});

describe('a node of the cluster', () => {
  it('is answered by the group of its node, and by none while its agent updates it', async () => {
    const id = machine();
    const node = { name: 'node-1', labels: {}, group, hasAgent: false };
    served.nodes.set(id, node);
    assert.equal(await check(id, { track: 'anything' }), '2.0.0');
    const other = machine();
    served.nodes.set(other, { ...node, hasAgent: true });
    assert.match(await tell(other, CHECK), /<updatecheck status="noupdate">/);
    served.nodes.set(other, { ...node, group: 'elsewhere' });
    assert.match(await tell(other, CHECK), /<updatecheck status="noupdate">/);
    assert.equal(await served.machine(other), undefined);
  });
});

/** Two machines, the one first that the rollout to 2.0.0 takes first. */
function inOrder(a: string, b: string): [string, string] {
  return placeOf(a) < placeOf(b) ? [a, b] : [b, a];
}

function placeOf(id: string): string {
  return orderKey(saltOf(group, '2.0.0'), id);
}

async function sweep(): Promise<void> {
  const day = 86_400_000;
  const policy = {
    silentMs: 30 * day,
    forgetMs: 90 * day,
    historyMs: 90 * day,
    historyRecords: 100_000,
    sampleMs: day,
  };
  while ((await served.store.sweep(served.now, policy)).more);
}
