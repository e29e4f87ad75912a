import { withConditions } from '#api/conditions.ts';
import type { RebootWindow } from '#api/kinds.ts';
import type { RebootWindowStatus } from '#api/reboot-window.ts';
import { forecast } from '#runtime/window/forecast.ts';
import { readWindow } from '#runtime/window/named.ts';

/** The status of a RebootWindow at an instant, and when it must be made again. */
export function windowStatus(
  object: RebootWindow,
  now: number,
): { status: RebootWindowStatus; edge?: number } {
  const { window } = readWindow(object);
  const { open, openings, nextOpen, nextClose, edge } = forecast(window, now);
  const generation = object.metadata.generation ?? 0;
  const before = object.status?.openings ?? [];
  return {
    ...(edge === undefined ? {} : { edge }),
    status: {
      observedGeneration: generation,
      open,
      ...(nextOpen === undefined ? {} : { nextOpen: iso(nextOpen) }),
      ...(nextClose === undefined ? {} : { nextClose: iso(nextClose) }),
      openings: openings.map(({ from, to }) => {
        // The opening under way keeps the beginning that it had when it lay ahead.
        const known = before.find((one) => one.to === iso(to) && Date.parse(one.from) <= from);
        return { from: known?.from ?? iso(from), to: iso(to) };
      }),
      conditions: withConditions(object.status?.conditions, said(window.invalid, generation), iso(now)),
    },
  };
}

function said(invalid: string | undefined, observedGeneration: number) {
  if (invalid === undefined) {
    return [
      {
        type: 'Ready',
        status: 'True' as const,
        reason: 'Evaluated',
        message: 'the window is enforced',
        observedGeneration,
      },
    ];
  }
  const why = { reason: 'WindowInvalid', message: `closed: ${invalid}`.slice(0, 1024), observedGeneration };
  return [
    { type: 'Ready', status: 'False' as const, ...why },
    { type: 'Stalled', status: 'True' as const, ...why },
  ];
}

/** Seconds are enough, and what the API server stores. */
function iso(at: number): string {
  return new Date(Math.floor(at / 1000) * 1000).toISOString();
}
