import { resourcePath } from '#api/group.ts';
import type { RebootWindow } from '#api/kinds.ts';
import type { RebootWindowStatus } from '#api/reboot-window.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import type { Reconcile } from '#runtime/controller/controller.ts';
import { windowStatus } from './status.ts';

/** A timer must not be set further ahead than this. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface WindowController {
  client: KubeClient;
  window: (name: string) => RebootWindow | undefined;
  now: () => number;
  /** Called at every edge: nodes may have to be looked at. */
  onEdge: () => void;
}

/** Writes the status of a RebootWindow when it changes, and looks again at the next edge. */
export function reconcileWindow({ client, window, now, onEdge }: WindowController): Reconcile {
  return async (name, { signal }) => {
    const object = window(name);
    if (object === undefined) return;
    const at = now();
    const { status, edge } = windowStatus(object, at);
    if (same(object.status, status)) return again(edge, at);
    onEdge();
    const { uid, resourceVersion } = object.metadata;
    // A merge patch keeps what is left out, so what must go is null.
    const body = {
      metadata: { uid, resourceVersion },
      status: { nextOpen: null, nextClose: null, ...status },
    };
    await client.mergePatch(`${resourcePath('RebootWindow', name)}/status`, body, undefined, { signal });
    return again(edge, at);
  };
}

function again(edge: number | undefined, now: number) {
  if (edge === undefined) return;
  return { requeueAfterMs: Math.min(LONGEST_WAIT_MS, Math.max(1, edge - now)) };
}

function same(before: RebootWindowStatus | undefined, next: RebootWindowStatus): boolean {
  return before !== undefined && essence(before) === essence(next);
}

function essence({ openings = [], conditions = [], ...status }: RebootWindowStatus): string {
  const spans = openings.map(({ from, to }) => [from, to]);
  const said = conditions.map(({ type, status, message }) => [type, status, message]);
  return JSON.stringify([
    status.observedGeneration,
    status.open,
    status.nextOpen,
    status.nextClose,
    spans,
    said,
  ]);
}
