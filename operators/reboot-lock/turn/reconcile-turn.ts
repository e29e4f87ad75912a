import type { Reconcile } from '#runtime/controller/controller.ts';
import type { View } from '../cluster/view.ts';
import type { RoundsOptions } from '../lock/rounds.ts';
import type { RebootMetrics } from '../tell/metrics.ts';
import type { TurnReport, Turns } from './turns.ts';

export interface TurnControl {
  turns: Turns;
  view: View;
  metrics: RebootMetrics;
  say: RoundsOptions['say'];
  /** Something was written that the locks are to be decided anew for. */
  decide: () => void;
}

/** A node in its turn is looked at this often at least, so that its deadlines are noticed. */
const TURN_MS = 15_000;

/** The next step of one node's turn, and the telling of it. */
export function reconcileTurn({ turns, view, metrics, say, decide }: TurnControl): Reconcile {
  return async (name, { log }) => {
    const report = await turns.step(name);
    if (report === undefined) {
      say(name, undefined, view.now());
      return undefined;
    }
    if (report.done !== undefined) {
      log.info(report.done, { node: name, ...report.verdict });
      decide();
    }
    const now = view.now();
    if (report.done === 'Grant') metrics.granted(drainSeconds(report, now));
    // A step that came to nothing, for a conflict say, leaves what was said before.
    if (report.verdict !== undefined || report.done !== undefined) say(name, report.verdict, now);
    return { requeueAfterMs: Math.min(report.againMs ?? TURN_MS, TURN_MS) };
  };
}

function drainSeconds({ cordonedAt }: TurnReport, now: number): number | undefined {
  return cordonedAt === undefined ? undefined : (now - cordonedAt) / 1000;
}
