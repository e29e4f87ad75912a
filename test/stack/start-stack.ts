import path from 'node:path';
import { stringify } from 'yaml';
import { KubeClient } from '#runtime/client/client.ts';
import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { startFaultProxy } from '#test/cluster/faults/proxy.ts';
import type { MachineTimes } from '#test/machine/machine-options.ts';
import { startPayloadServer } from '#test/machine/payload-server.ts';
import type { NodesKind, Survey } from './ground.ts';
import { run } from './kubectl.ts';
import { lightTerrain } from './light-ground.ts';
import { realTerrain } from './real-ground.ts';
import { Releases } from './releases.ts';
import { Stack } from './stack.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const POOL = { 'example.com/pool': 'workers' };
/** Real nodes share the processors with all that they run, light ones with whatever else the computer does. */
const PATIENCE_MS: Record<NodesKind, number> = { light: 300_000, real: 300_000 };
const SURVEYS: Record<NodesKind, Survey> = { light: lightTerrain, real: realTerrain };

export interface StackOptions {
  /** What the machines are; `light` unless told. */
  nodes?: NodesKind;
  machines: number;
  firstVersion: string;
  /** How long things take on light machines. Real ones take the time that they take. */
  times?: Partial<MachineTimes>;
  /** Values for the chart beyond where the pods go. */
  values?: Record<string, unknown>;
  /** The operators live on the machines that they reboot. Light ones leave them a machine of their own unless told. */
  operatorsAmong?: boolean;
  /** Put a proxy that injects faults between the operators and the API server; on light machines. */
  faults?: boolean;
  /** Longest time that anything may take to come about. */
  patienceMs?: number;
  progress?: (line: string) => void;
}

/** Starts the whole stack; what was started already ends again if something of it does not start. */
export async function startStack(options: StackOptions): Promise<Stack> {
  await using starting = new AsyncDisposableStack();
  const { nodes = 'light', machines: count, firstVersion, times, progress = () => undefined } = options;
  const terrain = await SURVEYS[nodes]({ started: starting, progress });
  const cluster = await startCluster({ progress });
  starting.defer(() => cluster.stop());
  progress(`control plane ready after ${(cluster.startedInMs / 1000).toFixed(1)} s`);
  const client = KubeClient.load({
    kubeconfig: cluster.kubeconfig,
    userAgent: 'careen test stack',
    qps: 200,
  });
  starting.defer(() => client.close());

  const releases = new Releases(path.join(cluster.directory, 'releases'), terrain.buildOsImage);
  const payloads = await startPayloadServer({ directory: releases.root });
  starting.defer(() => payloads.stop());
  const faults = options.faults === true ? await startFaultProxy(cluster) : undefined;
  starting.defer(() => faults?.close());

  const osImage = await releases.image(firstVersion);
  const { operatorsAmong = false } = options;
  const setup = { cluster, count, osImage, labels: POOL, times, podApi: faults, operatorsAmong };
  const ground = await terrain.lay({ ...setup, started: starting, progress });
  releases.baseURL = `http://${await ground.reach(Number(new URL(payloads.url).port))}`;

  const values = overlay({ agent: { nodeSelector: POOL } }, ground.values, options.values ?? {});
  await install(cluster, values);
  progress('careen is installed by Helm');
  ground.powerOn();
  await cluster.defaultServiceAccount();
  await ground.ready();
  progress(`${count} machines are Ready`);

  const patienceMs = options.patienceMs ?? PATIENCE_MS[nodes];
  const started = starting.move();
  return new Stack({ nodes, cluster, client, ground, releases, payloads, faults, patienceMs, started });
}

type Values = Record<string, unknown>;

/** Values over values, as Helm lays them: maps are merged, anything else is replaced. */
function overlay(...layers: readonly Values[]): Values {
  const merged: Values = {};
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) {
    const before = merged[name];
    merged[name] = isMap(before) && isMap(value) ? overlay(before, value) : value;
  }
  return merged;
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function install(cluster: Cluster, values: Record<string, unknown>): Promise<void> {
  const { helm } = cluster.tools;
  const chart = path.join(ROOT, 'helm/careen');
  const where = ['--kubeconfig', cluster.kubeconfig, '--namespace', 'careen-system', '--create-namespace'];
  await run(helm, ['install', 'careen', chart, ...where, '--values', '-'], stringify(values));
}
