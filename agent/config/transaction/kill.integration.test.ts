import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { guarded } from '#test/cluster/guardian.ts';
import { MACHINE } from '../testing/host.ts';
import type { TestHost } from '../testing/host.ts';
import { cannotMount, MountedHost } from '../testing/mounted-host.ts';
import { snapshot } from '../testing/snapshot.ts';
import { StallingFs } from '../testing/stalling-fs.ts';
import { twentyFiles, writeShipped } from '../testing/twenty-files.ts';
import type { HostFiles } from './host-files.ts';

/** By SIGKILL, which takes a process each time. */
const KILLS = process.env['CAREEN_EVERY_KILL'] === undefined ? 12 : 1000;
const PROGRAM = join(import.meta.dirname, '../testing/apply-process.ts');
/** Every one of them: `npm run bench -- config-kills`. */
const stride = process.env['CAREEN_EVERY_KILL'] === undefined ? 17 : 1;
const skip = cannotMount ?? false;

async function apply(files: HostFiles, generation: 1 | 2): Promise<void> {
  const document = twentyFiles(generation);
  const transaction = await files.prepare({
    document,
    plan: await files.plan(document),
    meta: { generation },
  });
  await transaction.switch();
  await transaction.note('reload', 'Started');
  await transaction.keep();
}

async function applyAndGoBack(files: HostFiles): Promise<void> {
  const document = twentyFiles(2);
  const transaction = await files.prepare({
    document,
    plan: await files.plan(document),
    meta: { generation: 2 },
  });
  await transaction.switch();
  await transaction.revert();
  await transaction.close();
}

/** An agent that starts, and ends what it finds as `keep` says. */
async function restart(host: TestHost, keep: boolean): Promise<'Switched' | 'Reverted' | 'nothing'> {
  const { transaction } = await host.files().recover();
  if (transaction === undefined) return 'nothing';
  const { stage } = transaction;
  if (stage === 'Switched' && keep) await transaction.keep();
  else {
    await transaction.revert();
    await transaction.close();
  }
  return stage === 'Switched' ? 'Switched' : 'Reverted';
}

const HOW = {
  'and what is found is kept': { task: (files: HostFiles) => apply(files, 2), keep: true },
  'and what is found is undone': { task: (files: HostFiles) => apply(files, 2), keep: false },
  'while it is being undone': { task: applyAndGoBack, keep: false },
} as const;

for (const [how, { task, keep }] of Object.entries(HOW)) {
  test(
    `killed before any call on the disk of a change of twenty files, ${how}: all old or all new (A1)`,
    { skip },
    async () => {
      await using mounted = await MountedHost.make();
      const { host } = mounted;
      await writeShipped(host);
      await apply(host.files(), 1);
      const old = await snapshot(host.root);
      await apply(host.files(), 2);
      const fresh = await snapshot(host.root);
      await apply(host.files(), 1);
      assert.deepEqual(await snapshot(host.root), old);
      const seen = { old: 0, new: 0 };
      const first = 1 + Math.floor(Math.random() * stride);
      for (let at = first, alive = false; !alive; at += stride) {
        {
          await using stalling = new StallingFs(at);
          alive = await stalling.survives(task(host.files()));
        }
        await restart(host, keep);
        const found = await snapshot(host.root);
        const { meta } = await host.files().applied();
        const expected = meta?.['generation'] === 2 ? fresh : old;
        assert.deepEqual(found, expected, `killed before call ${at}`);
        seen[expected === old ? 'old' : 'new']++;
        if (expected === fresh) await apply(host.files(), 1);
        assert.deepEqual(await snapshot(host.root), old, `killed before call ${at}, and back again`);
      }
      assert.ok(seen.old > 3, JSON.stringify(seen));
    },
  );
}

test(
  'killed again and again while it recovers, an agent still ends with all old or all new (A1)',
  { skip },
  async () => {
    await using mounted = await MountedHost.make();
    const { host } = mounted;
    await writeShipped(host);
    await apply(host.files(), 1);
    const old = await snapshot(host.root);
    for (const killedAt of [60, 180, 250, 300]) {
      {
        await using stalling = new StallingFs(killedAt);
        await stalling.survives(applyAndGoBack(host.files()));
      }
      for (let at = 1, alive = false; !alive; at += 29) {
        await using stalling = new StallingFs(at);
        alive = await stalling.survives(restart(host, false));
      }
      assert.deepEqual(await snapshot(host.root), old, `killed before call ${killedAt}`);
    }
  },
);

test(`killed by SIGKILL at any moment, ${KILLS} times over: all old or all new (A1)`, { skip }, async () => {
  await using mounted = await MountedHost.make();
  const { host } = mounted;
  await writeShipped(host);
  await apply(host.files(), 1);
  const known = [await snapshot(host.root)];
  const start = performance.now();
  await apply(host.files(), 2);
  // A process that has just started is slower, and so is a machine that is busy: the pace is this machine's own.
  const span = 3 * (performance.now() - start);
  known.push(await snapshot(host.root));
  const seen = [0, 0];
  for (let round = 0; round < KILLS; round++) {
    await killedOnce(host, Math.random() * span);
    await restart(host, round % 2 === 0);
    const generation = Number((await host.files().applied()).meta?.['generation']);
    assert.deepEqual(await snapshot(host.root), known[generation - 1], `round ${round}`);
    seen[generation - 1] = (seen[generation - 1] ?? 0) + 1;
  }
  console.log(`killed ${KILLS} times: ${seen.join(' times one and ')} times the other`);
});

/** An agent in a process of its own, killed so long after it began to work. */
async function killedOnce(host: TestHost, ms: number): Promise<void> {
  const options = { tree: host.tree, stateDir: host.stateDir, machineID: MACHINE };
  const agent = await guarded(process.execPath, [PROGRAM, JSON.stringify(options)], { stdout: 'pipe' });
  for await (const chunk of agent.stdout ?? []) if (String(chunk).includes('ready')) break;
  await sleep(ms);
  await agent.kill();
}
