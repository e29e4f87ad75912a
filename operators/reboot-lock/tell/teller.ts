import type { Node } from '#api/meta.ts';
import type { NodeState } from '#api/kinds.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { EventRecorder } from '#runtime/events/recorder.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { View } from '../cluster/view.ts';
import { writeHold, type Holds } from './holds.ts';

export interface TellerOptions {
  holds: Holds;
  view: View;
  cluster: Cluster;
  events: EventRecorder;
  node: (name: string) => Node | undefined;
  state: (name: string) => NodeState | undefined;
  inTurn: (name: string) => boolean;
}

const RETRY_MS = 1000;

/** Holding a node back is policy and not an error; only what needs a person is a warning. */
const WARNINGS: ReadonlySet<RebootReason> = new Set([
  'DrainBlocked',
  'NotBack',
  'LockInvalid',
  'WindowInvalid',
  'NoLock',
  'Skipped',
]);

/** Writes what is held against a node, or is no more, into its NodeState, with an event for a new reason. */
export class Teller {
  readonly #options: TellerOptions;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  async tell(name: string): Promise<{ requeueAfterMs: number } | undefined> {
    const { holds, view, cluster, inTurn } = this.#options;
    const state = this.#options.state(name);
    if (state === undefined) return undefined;
    const newest = view.states.pick(state);
    const now = view.now();
    const due = holds.due(newest, now, inTurn(name));
    if (!('hold' in due)) return due.againMs === undefined ? undefined : { requeueAfterMs: due.againMs };
    try {
      view.states.put(await writeHold(cluster, newest, due.hold, now));
    } catch (error) {
      if (!isKubeError(error, 'Conflict') && !isKubeError(error, 'NotFound')) throw error;
      return { requeueAfterMs: RETRY_MS };
    }
    holds.written(name, now);
    if (due.hold && due.hold.reason !== newest.spec?.reboot?.hold?.reason) this.#event(name, due.hold);
    return undefined;
  }

  #event(name: string, { reason, message }: Verdict<RebootReason>): void {
    const node = this.#options.node(name);
    if (node === undefined) return;
    const regarding = { apiVersion: 'v1', kind: 'Node', metadata: node.metadata };
    this.#options.events.event(regarding, WARNINGS.has(reason) ? 'Warning' : 'Normal', reason, message);
  }
}
