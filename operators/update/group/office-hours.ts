import type { RebootWindow } from '#api/kinds.ts';
import { readWindow } from '#runtime/window/named.ts';
import type { Closed } from '../rollout/plan.ts';

/** Why nobody is given a release now, by windows of these names; undefined while all are open. Unknown is closed. */
export function closedHours(
  names: readonly string[],
  windowOf: (name: string) => RebootWindow | undefined,
  now: number,
): Closed | undefined {
  for (const name of names) {
    const object = windowOf(name);
    if (object === undefined) return closed(`there is no RebootWindow ${name}`);
    const { window } = readWindow(object);
    if (window.invalid !== undefined)
      return closed(`RebootWindow ${name} cannot be evaluated: ${window.invalid}`);
    const { open, denied, until } = window.at(now);
    if (!open)
      return closed(`RebootWindow ${name} is closed${denied === undefined ? '' : `: ${denied}`}`, until);
  }
  return undefined;
}

function closed(message: string, until?: number): Closed {
  return { verdict: { reason: 'OutsideHours', message }, until };
}
