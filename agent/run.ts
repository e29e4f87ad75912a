import { join } from 'node:path';
import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import { Health } from '#runtime/health/health.ts';
import { serveHealth } from '#runtime/health/server.ts';
import { watchObject } from '#runtime/informer/watch-object.ts';
import type { Log } from '#runtime/log/log.ts';
import { within } from '#runtime/operator/shutdown.ts';
import type { ConfigLife } from './config/life/config-life.ts';
import type { HostConfigOptions } from './config/host-config.ts';
import { HostRoot } from './boot/host-root.ts';
import type { AgentOptions } from './flags.ts';
import { stateDirOf } from './flags.ts';
import { Agent } from './life/agent.ts';
import { KubeApi } from './life/kube-api.ts';
import { sleepUntil } from './life/sleep.ts';
import { PayloadStager } from './life/payload-stager.ts';
import { Claim } from './record/claim.ts';
import { RecordFile } from './record/record-file.ts';
import { Reporter } from './report/reporter.ts';
import type { OnCached } from './slots/file-medium.ts';
import { findDisk, runningPartUUID } from './slots/gpt/find-disk.ts';
import { openGptEngine } from './slots/gpt/gpt-engine.ts';
import type { SlotEngine } from './slots/engine.ts';
import { AGENT_VERSION } from './version.ts';

/** One step may run this long: a disk that is dying, a health check with a long timeout. */
const STUCK_MS = 15 * 60_000;

/** A unit that is being healed is not waited for: systemd does it by itself. */
const CONFIG_STOP_MS = 3000;

/** Runs the agent of one machine until `signal` aborts. An API server that is away does not end it. */
export async function runAgent(options: AgentOptions, log: Log, signal: AbortSignal): Promise<void> {
  const { nodeName, kubeconfig } = options;
  const client = KubeClient.load({ kubeconfig, userAgent: `careen-agent/${AGENT_VERSION}` });
  const api = new KubeApi(client, nodeName);
  const onError = (error: unknown, retryInMs: number): void => {
    log.warn('cannot write status', { error, retryInMs });
  };
  const reporter = new Reporter({ api, onError, onWrite: (patch) => log.debug('status written', { patch }) });
  const claim = new Claim(stateDirOf(options));
  const machine = machineParts(
    options,
    log,
    onceFor((path) => log.warn(CACHED, { path })),
  );
  const shared = { api, log, now: Date.now, monotonicMs: () => performance.now() };
  const config = options.nodeConfig
    ? await configOf(options, machine.host, client, shared, () => agent.wake())
    : undefined;
  const agent: Agent = new Agent({
    ...machine,
    ...shared,
    claim: () => claim.take(),
    reporter,
    config,
    sleep: sleepUntil,
    agentVersion: AGENT_VERSION,
    startedAt: Date.now(),
  });
  const onObject = (object: NodeState | undefined): void => {
    reporter.observe(object);
    agent.observe(object);
  };
  const health = await serveHealth({ address: options.address, health: healthOf(agent), log });
  log.info('careen agent', { version: AGENT_VERSION, healthPort: health.port });
  try {
    const watch = { client, path: resourcePath('NodeState'), name: nodeName, onObject, signal, log };
    await Promise.all([agent.run(signal), reporter.run(signal), watchObject<NodeState>(watch)]);
  } finally {
    await within(CONFIG_STOP_MS, config?.stop());
    await health.close();
    await client.close();
    claim.release();
  }
}

function machineParts(options: AgentOptions, log: Log, onCached: OnCached) {
  const { hostRoot, rebootCommand, commandPrefix } = options;
  const stateDir = stateDirOf(options);
  return {
    host: new HostRoot({ root: hostRoot, stateDir, rebootCommand, commandPrefix, log }),
    records: new RecordFile(stateDir),
    stager: new PayloadStager(stateDir),
    openEngine: (diskID: string | undefined) => openEngine(options, diskID, onCached),
  };
}

/** Loaded where it is wanted: the agent's memory is every node's. */
async function configOf(
  options: AgentOptions,
  host: HostRoot,
  client: KubeClient,
  agent: HostConfigOptions['agent'],
  onNews: () => void,
): Promise<ConfigLife> {
  const { hostRoot: root, nodeName, kubeconfig, rebootCommand } = options;
  const { hostConfig } = await import('./config/host-config.ts');
  const { machineID = '' } = await host.facts();
  const systemd = rebootCommand === undefined;
  const stateDir = stateDirOf(options);
  return hostConfig({
    root,
    stateDir,
    nodeName,
    machineID,
    kubeconfig,
    systemd,
    client,
    host,
    agent,
    onNews,
  });
}

async function openEngine(
  { disk, hostRoot }: AgentOptions,
  diskID: string | undefined,
  onCached: OnCached,
): Promise<SlotEngine> {
  // The container's own /proc shows what is mounted in the container, and its /sys may be another than the host's.
  const [proc, sysfs] = [join(hostRoot, 'proc'), join(hostRoot, 'sys')];
  const pinned = { diskID, onCached, proc, sysfs };
  if (disk === undefined) return openGptEngine({ ...(await findDisk(hostRoot)), ...pinned });
  return openGptEngine({ disk, running: await runningPartUUID(hostRoot), ...pinned });
}

const CACHED =
  'the disk cannot be read past the page cache: what is verified is what was written, not what the disk kept';

/** Tells each path once. */
function onceFor(tell: OnCached): OnCached {
  const told = new Set<string>();
  return (path) => {
    if (!told.has(path)) tell(path);
    told.add(path);
  };
}

/** Alive as long as the loop comes round; an API server that is away is no reason to be restarted. */
function healthOf(agent: Agent): Health {
  const health = new Health();
  health.live('loop', () => {
    const busyMs = agent.busyMs();
    return busyMs > STUCK_MS ? `one step has run for ${Math.round(busyMs / 1000)} s` : undefined;
  });
  return health;
}
