import type { Window } from './window.ts';

/** When a window is open, from an instant on. All instants in epoch milliseconds. */
export interface Forecast {
  open: boolean;
  /** Absent while open, or when it never opens again. */
  nextOpen?: number;
  /** Absent while closed, or when it never closes as far as can be seen. */
  nextClose?: number;
  /** The next five openings, the current one (from its known beginning, or now) included. */
  openings: { from: number; to: number }[];
  /** When the forecast must be made again. */
  edge?: number;
}

/** Bounds the work for spans that touch one another without end, such as one of 5m every five minutes. */
const STEPS = 1000;
const OPENINGS = 5;

/** The next openings of a window; adjacent and overlapping spans count as one opening. */
export function forecast(window: Window, now: number): Forecast {
  const openings: Forecast['openings'] = [];
  const first = window.at(now);
  let from = first.open ? now : undefined;
  let at: number | undefined = first.until;
  for (let step = 0; at !== undefined && step < STEPS && openings.length < OPENINGS; step++) {
    const state = window.at(at);
    if (state.open) from ??= at;
    else if (from !== undefined) {
      openings.push({ from, to: at });
      from = undefined;
    }
    at = state.until;
  }
  // Whatever was not seen to the end is looked at again where the view ended.
  const edge = openings.length < OPENINGS && at !== undefined ? { edge: at } : {};
  return { open: first.open, openings, ...edge, ...edges(first.open, openings, from) };
}

function edges(open: boolean, openings: Forecast['openings'], unfinished: number | undefined) {
  const [next] = openings;
  if (open) return next === undefined ? {} : { nextClose: next.to, edge: next.to };
  const nextOpen = next?.from ?? unfinished;
  return nextOpen === undefined ? {} : { nextOpen, edge: nextOpen };
}

/** Until when a window that is open at `now` stays open, looking no further than `horizon`. */
export function openUntil(window: Window, now: number, horizon: number): number {
  let at = now;
  while (at < horizon) {
    const { open, until } = window.at(at);
    if (!open) return at;
    at = until ?? horizon;
  }
  return horizon;
}

const seen = new WeakMap<Window, { at: number; result: Forecast }>();

/** When a closed window opens next; remembered until then, since every node that waits asks the same. */
export function nextOpening(window: Window, now: number): number | undefined {
  const known = seen.get(window);
  if (known !== undefined && known.at <= now && now < (known.result.edge ?? Infinity))
    return known.result.nextOpen;
  const result = forecast(window, now);
  seen.set(window, { at: now, result });
  return result.nextOpen;
}
