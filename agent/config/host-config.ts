import { hostname } from 'node:os';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '#agent/boot/host.ts';
import { getLoopback } from '#agent/health/http.ts';
import type { Parts } from '#agent/life/parts.ts';
import { KubeClient } from '#runtime/client/client.ts';
import type { Node } from '#api/meta.ts';
import { BundleSource } from './bundle/bundle-source.ts';
import { DriftGuard } from './drift/drift-guard.ts';
import { ConfigError } from './config-error.ts';
import { HostConfirmation } from './confirm/host-confirmation.ts';
import { noConfirmation } from './confirm/no-confirmation.ts';
import { kernelArgumentsOf } from './kernel-arguments/find.ts';
import { ConfigLife } from './life/config-life.ts';
import { ConfigRecordFile } from './life/config-record.ts';
import { readLocalPolicy } from './paths/local-policy.ts';
import { describeChanges } from './plan/describe-changes.ts';
import { KUBELET_PORT } from './probes/always.ts';
import { defaultGateway } from './probes/gateway.ts';
import { HostFiles } from './transaction/host-files.ts';
import { HostSysctls } from './sysctls/host-sysctls.ts';
import { HostUnits } from './units/host-units.ts';
import { noUnits } from './units/no-units.ts';
import { verifyUnits } from './units/verify-units.ts';
import { validateFiles } from './transaction/validate-files.ts';

export interface HostConfigOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  stateDir: string;
  nodeName: string;
  machineID: string;
  kubeconfig: string | undefined;
  /** Whether the host has a systemd that can be asked. */
  systemd: boolean;
  client: KubeClient;
  host: Host;
  /** Called when others have changed what is in force. */
  onNews: () => void;
  agent: Pick<Parts, 'api' | 'log' | 'now' | 'monotonicMs'>;
}

const KUBELET_MS = 3000;

/** The configuration's life on a real host. */
export async function hostConfig(options: HostConfigOptions): Promise<ConfigLife> {
  const { root, stateDir, nodeName, machineID, systemd, client, host, agent } = options;
  const tree = { root };
  const bundles = new BundleSource(client, nodeName);
  const files = new HostFiles({ tree, stateDir, machineID });
  const units = systemd ? new HostUnits(root) : noUnits;
  const policy = () => readLocalPolicy(tree);
  const run = (argv: readonly string[], signal: AbortSignal, ms: number) => host.run(argv, signal, ms);
  return new ConfigLife({
    files,
    bundle: async (wanted, signal) => {
      const uid = await nodeUID(options, signal);
      return bundles.fetch({ node: { name: nodeName, uid }, ...wanted }, signal);
    },
    describe: (plan) => describeChanges(tree, plan),
    policy,
    judge: async (transaction, document, signal) => {
      await verifyUnits(transaction.staged, { root, stateDir, run }, signal);
      await validateFiles(document, transaction, { run, local: await readLocalPolicy(tree), signal });
    },
    units,
    sysctls: new HostSysctls(run),
    confirmation: systemd ? new HostConfirmation({ root, stateDir, units, log: agent.log }) : noConfirmation,
    kernelArguments: await kernelArgumentsOf({ root, stateDir }),
    guard: new DriftGuard({ tree, files, units, policy, log: agent.log, onChange: options.onNews }),
    records: new ConfigRecordFile(stateDir, machineID),
    hostname: async () => hostnameOf(root),
    gateway: () => defaultGateway(),
    kubelet: (signal) => kubeletAnswers(signal),
    freshNode: (signal) => freshNode(options, signal),
    unsupported: () => unsupported(root),
    host,
    agent,
  });
}

/** The Node of now: one of the same name that was deleted has nothing to say here. */
async function nodeUID({ client, nodeName }: HostConfigOptions, signal: AbortSignal): Promise<string> {
  try {
    const node = await client.get<Node>(`/api/v1/nodes/${encodeURIComponent(nodeName)}`, undefined, {
      signal,
    });
    return node.metadata.uid ?? '';
  } catch (error) {
    if (signal.aborted) throw error;
    const message = `the Node cannot be read: ${String(error)}`;
    throw new ConfigError('BundleUnreachable', message, { cause: error });
  }
}

/** The name in use, which a pod on the host's network shares. */
async function hostnameOf(root: string): Promise<string> {
  const text = await readFile(join(root, 'proc/sys/kernel/hostname'), 'utf8').catch(() => hostname());
  return text.trim();
}

function kubeletAnswers(signal: AbortSignal): Promise<boolean> {
  const target = { port: KUBELET_PORT, path: '/healthz', scheme: 'http' as const };
  const timed = AbortSignal.any([signal, AbortSignal.timeout(KUBELET_MS)]);
  return getLoopback(target, timed).then(
    (status) => status === 200,
    () => false,
  );
}

/** A connection that was there before the change would prove nothing. */
async function freshNode({ kubeconfig, nodeName }: HostConfigOptions, signal: AbortSignal): Promise<Node> {
  const client = KubeClient.load({ kubeconfig, userAgent: 'careen-agent-probe' });
  try {
    return await client.get<Node>(`/api/v1/nodes/${encodeURIComponent(nodeName)}`, undefined, { signal });
  } finally {
    await client.close();
  }
}

/** Why nothing can be written where configurations are; each path is looked at again before it is. */
async function unsupported(root: string): Promise<string | undefined> {
  try {
    await access(join(root, 'etc'), constants.W_OK);
    return undefined;
  } catch (error) {
    return `/etc of this host cannot be written (${(error as NodeJS.ErrnoException).code}): its files come with its image`;
  }
}
