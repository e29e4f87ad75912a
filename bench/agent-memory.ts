import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { buildBundles } from '#scripts/build.ts';
import { startCluster } from '#test/cluster/cluster.ts';
import { until } from '#test/cluster/until.ts';
import { createDisk, USR_A } from '#test/machine/disk.ts';
import { writeHostRoot } from '#test/machine/host-root.ts';
import { buildOsImage, osRelease } from '#test/machine/os-image.ts';

/*
 * Idle memory of the agent, as the image runs it: the bundle, on a real API server, with a disk and its watch,
 * after its first report. Run: node bench/agent-memory.ts [--minutes N]
 *
 * With --minutes it is measured ten times over so long while its watch is open and nothing happens; what counts is
 * the most.
 */

/**
 * What the agent's container gives to node. Without just-in-time compilers: what the agent hashes and unpacks is
 * done by native code, and machine code of its own JavaScript is memory for nothing (about 5 MB).
 */
const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
];
const MARK_MB = 75;
const SETTLE_MS = 20_000;
const SAMPLES = 10;
const minutes = Number(parseArgs({ options: { minutes: { type: 'string', default: '0' } } }).values.minutes);

/** Megabytes of each kind that Linux counts for the process. */
type Memory = Record<string, number>;

async function prepare(directory: string): Promise<string[]> {
  const image = join(directory, 'os.img');
  const disk = join(directory, 'disk.img');
  const host = join(directory, 'host');
  await buildOsImage({ path: image, version: '1.0.0', bulkMiB: 1 });
  createDisk(disk, { usrMiB: 8, osImage: image });
  const facts = { bootID: 'boot', machineID: 'a'.repeat(32), kernel: '6.12', osRelease: osRelease('1.0.0') };
  await writeHostRoot(host, { ...facts, partuuid: USR_A });
  return ['--node-name', 'n1', '--host-root', host, '--disk', disk, '--reboot-command', '["true"]'];
}

async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const lines = [...text.matchAll(/^(Rss|Pss|Private_Clean|Private_Dirty|Anonymous): +([0-9]+) kB$/gm)];
  return Object.fromEntries(lines.map(([, name = '', kB]) => [name, Math.round(Number(kB) / 102.4) / 10]));
}

async function measure(directory: string): Promise<Memory[]> {
  const cluster = await startCluster();
  const client = KubeClient.load({ kubeconfig: cluster.kubeconfig, userAgent: 'bench' });
  try {
    const crd = join(import.meta.dirname, '../crds/nodestates.careen.dev.yaml');
    execFileSync(cluster.tools.kubectl, [
      '--kubeconfig',
      cluster.kubeconfig,
      'apply',
      '--server-side',
      '-f',
      crd,
    ]);
    const state = {
      apiVersion: 'careen.dev/v1alpha1',
      kind: 'NodeState',
      metadata: { name: 'n1' },
      spec: {},
    };
    await until('the kind is served', async () => !!(await client.create(resourcePath('NodeState'), state)));
    const flags = [...(await prepare(directory)), '--kubeconfig', cluster.kubeconfig];
    return await idle(join(directory, 'agent.mjs'), flags, directory, async () => {
      const { status } = await client.get<NodeState>(resourcePath('NodeState', 'n1'));
      return status?.update?.phase === 'Idle';
    });
  } finally {
    await client.close();
    await cluster.stop();
  }
}

/** One sample at once, and as many more as were asked for, each told as it is taken. */
async function samples(pid: number): Promise<Memory[]> {
  const taken: Memory[] = [];
  for (let sample = 0; sample <= (minutes > 0 ? SAMPLES : 0); sample += 1) {
    if (sample > 0) await sleep((minutes * 60_000) / SAMPLES);
    const memory = await memoryOf(pid);
    const seconds = Math.round((SETTLE_MS + (sample * minutes * 60_000) / SAMPLES) / 1000);
    if (sample === 0)
      console.log(['after', ...Object.keys(memory)].map((name) => name.padStart(14)).join(''));
    console.log([`${seconds} s`, ...Object.values(memory)].map((one) => String(one).padStart(14)).join(''));
    taken.push(memory);
  }
  return taken;
}

async function idle(
  program: string,
  flags: string[],
  directory: string,
  reported: () => Promise<boolean>,
): Promise<Memory[]> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(directory, 'cache'), MALLOC_ARENA_MAX: '2' };
  // The second start finds the compile cache of the first, as a container does whose image carries it.
  for (const round of ['cold', 'warm']) {
    const agent = spawn(process.execPath, [...NODE_FLAGS, program, ...flags], { env, stdio: 'ignore' });
    try {
      await until('the agent has reported', reported, { timeoutMs: 60_000 });
      await sleep(round === 'warm' ? SETTLE_MS : 3000);
      if (round === 'warm') return await samples(agent.pid ?? 0);
    } finally {
      agent.kill('SIGTERM');
      await once(agent, 'exit');
    }
  }
  throw new Error('unreachable');
}

const directory = await mkdtemp(join(tmpdir(), 'careen-memory-'));
try {
  const bundles = await buildBundles(directory);
  const bytes = bundles.find(({ file }) => file.endsWith('agent.mjs'))?.bytes ?? 0;
  console.log(`agent.mjs: ${Math.round(bytes / 1024)} KiB`);
  const rss = Math.max(
    ...(await measure(directory)).map((memory) => memory['Rss'] ?? Number.POSITIVE_INFINITY),
  );
  console.log(
    rss <= MARK_MB
      ? `${rss} MB: within the mark of ${MARK_MB} MB`
      : `${rss} MB: ABOVE the mark of ${MARK_MB} MB`,
  );
  process.exitCode = rss <= MARK_MB ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
