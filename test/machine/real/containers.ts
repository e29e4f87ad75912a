import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineProcess } from '../machine.ts';

const TASKS = 'run/containerd/io.containerd.runtime.v2.task/k8s.io';
const KEY = 'io.kubernetes.cri.';

/** The part of an OCI runtime configuration that tells whose container it is. */
interface Bundle {
  annotations?: Record<string, string>;
  linux?: { cgroupsPath?: string };
}

/**
 * The first process of each container that runs on a node, with its id on this computer. `root` is the node's root
 * directory, where containerd keeps its bundles; `group` the name of its control groups. Pause is left out.
 */
export function containersOf(root: string, group: string): MachineProcess[] {
  return list(join(root, TASKS)).flatMap((id) => {
    const directory = join(root, TASKS, id);
    const { annotations = {}, linux } = bundle(text(join(directory, 'config.json')));
    if (annotations[`${KEY}container-type`] !== 'container') return [];
    const members = `${hierarchy()}/${group}${linux?.cgroupsPath ?? ''}/cgroup.procs`;
    const pid = firstProcess(text(members), Number(text(join(directory, 'init.pid'))));
    if (pid === undefined) return [];
    const [namespace = '', pod = '', container = ''] = [
      annotations[`${KEY}sandbox-namespace`],
      annotations[`${KEY}sandbox-name`],
      annotations[`${KEY}container-name`],
    ];
    return [{ namespace, pod, container, pid }];
  });
}

/** Of a container that is just being made, it may not be complete. */
function bundle(config: string): Bundle {
  try {
    return JSON.parse(config) as Bundle;
  } catch {
    return {};
  }
}

/** Which of these processes of ours the node knows as `init`. */
function firstProcess(members: string, init: number): number | undefined {
  const pids = members.split('\n').filter((line) => line !== '');
  return pids.map(Number).find((pid) => nodePid(pid) === init);
}

/** NSpid lists a process's ids from our namespace inwards: the second is the node's (proc_pid_status(5)). */
function nodePid(pid: number): number {
  const [, ids = ''] = /^NSpid:\t(.*)$/mu.exec(text(`/proc/${pid}/status`)) ?? [];
  return Number(ids.split('\t')[1]);
}

function hierarchy(): string {
  const pids = '/sys/fs/cgroup/pids';
  return existsSync(pids) ? pids : '/sys/fs/cgroup';
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // the node is down, or containerd has not come up
  }
}

/** A container may end while it is looked at. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
