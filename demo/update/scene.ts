import type { NodeGroup, NodeState, RebootLock } from '#api/kinds.ts';
import { isReady, type Node } from '#api/meta.ts';
import type { SlotStatus } from '#api/node-state.ts';
import type { Leader } from '#test/stack/objects.ts';

/** What the screen shows at one instant, drawn from the cluster's own objects and nothing else. */
export interface Scene {
  chapter: string;
  elapsedMs: number;
  machines: MachineView[];
  /** Where the leaders of the operators are. */
  leaders: readonly Leader[];
  places: { max: number; holders: string[] };
  halted?: string | undefined;
  pods: { ready: number; wanted: number; budget: number };
  unavailable: { now: number; worst: number };
}

export interface MachineView {
  name: string;
  runs: string;
  /** Version of systemd, where there is one. */
  systemd?: string | undefined;
  slots: readonly SlotStatus[];
  phase: string;
  /** Share of the image that is written, 0 to 1, while it is being written. */
  progress?: number | undefined;
  holdsPlace: boolean;
  available: boolean;
  /** Why it does not move, or where its turn stands; empty when there is nothing to say. */
  why: string;
}

export interface Objects {
  nodes: readonly Node[];
  states: readonly NodeState[];
  group: NodeGroup | undefined;
  lock: RebootLock | undefined;
  /** Versions of systemd by machine. */
  systemd: ReadonlyMap<string, string>;
}

export function machineViews({ nodes, states, lock, systemd }: Objects): MachineView[] {
  const holders = holderNames(lock);
  return nodes
    .toSorted((one, other) => one.metadata.name.localeCompare(other.metadata.name, 'en', { numeric: true }))
    .map((node) => {
      const state = states.find(({ metadata }) => metadata.name === node.metadata.name);
      const { name } = node.metadata;
      return { ...machineView(node, state, lock, holders.includes(name)), systemd: systemd.get(name) };
    });
}

function machineView(
  node: Node,
  state: NodeState | undefined,
  lock: RebootLock | undefined,
  holdsPlace: boolean,
): MachineView {
  const { name } = node.metadata;
  const { update, os, slots } = state?.status ?? {};
  const cordoned = node.spec?.unschedulable === true;
  return {
    name,
    runs: os?.version ?? '?',
    slots: slots ?? [],
    phase: update?.phase ?? 'Idle',
    progress:
      update?.phase === 'Staging' && update.progress
        ? update.progress.bytes / Math.max(1, update.progress.total)
        : undefined,
    holdsPlace,
    available: isReady(node) && !cordoned,
    why: why(node, state, lock, holdsPlace),
  };
}

function why(
  node: Node,
  state: NodeState | undefined,
  lock: RebootLock | undefined,
  holdsPlace: boolean,
): string {
  const { phase, error } = state?.status?.update ?? {};
  if (!isReady(node)) return 'down';
  if (phase === 'Verifying') return 'health gate';
  if (holdsPlace && phase === 'Staged') return state?.spec.reboot?.grant ? 'granted' : 'draining';
  if (holdsPlace && phase === 'Rebooting') return 'shutting down';
  if (holdsPlace) return 'settling';
  const waiting = lock?.status?.waiting?.find((one) => one.node === node.metadata.name);
  const hold =
    state?.spec.update?.hold ?? (phase === 'Staged' ? (waiting ?? state?.spec.reboot?.hold) : undefined);
  if (hold) return `${hold.reason}: ${hold.message}`;
  return error ? `${error.code}: ${error.message}` : '';
}

export function holderNames(lock: RebootLock | undefined): string[] {
  return (lock?.status?.holders ?? []).map(({ id }) => id);
}
