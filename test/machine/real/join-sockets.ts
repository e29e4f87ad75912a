import type { Socket } from 'node:net';

/**
 * Makes one connection of two, each half-open for itself. When one has closed, the other still delivers what it has
 * got; what it could yet receive has no receiver any more.
 */
export function joinSockets(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  for (const [end, far] of [
    [one, other],
    [other, one],
  ] as const) {
    end.on('error', () => {}); // the close tells the other side
    end.once('close', () => far.destroySoon());
  }
}
