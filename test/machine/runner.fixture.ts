/*
 * A program with one machine that a test kills: `runner.fixture.ts CONFIG`, where CONFIG is a JSON file with
 * the cluster and the machine's credential. Prints a line of JSON once the machine's process runs.
 */
import { readFileSync } from 'node:fs';
import type { KeyPair } from '#test/cluster/pki.ts';
import { until } from '#test/cluster/until.ts';
import { createFleet } from './fleet.ts';

/** What the file holds. */
export interface RunnerConfig {
  cluster: { url: string; caPem: string; kubeconfig: string };
  credential: KeyPair;
  prefix: string;
  osImage: string;
  program: string;
}

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as RunnerConfig;
const cluster = { ...config.cluster, issueClientCert: async () => config.credential };
const { prefix, osImage, program } = config;
const fleet = await createFleet({
  cluster,
  count: 1,
  prefix,
  osImage,
  usrMiB: 16,
  programs: { agent: program },
});
fleet.powerOn();
const machine = fleet.machines[0]!;
await until('a process runs', () => machine.processes().length > 0);
const pids = machine.processes().map(({ pid }) => pid);
console.log(JSON.stringify({ directory: fleet.directory, pids }));
