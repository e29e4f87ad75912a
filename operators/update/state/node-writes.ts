import type { Node } from '#api/meta.ts';
import type { EventRecorder } from '#runtime/events/recorder.ts';
import type { WantedUpdate } from '../rollout/facts.ts';
import type { StateWriter } from './state-writer.ts';
import type { Change } from './write-order.ts';

const AT_ONCE = 8;

/** Reasons that call for somebody to look; the others are the policy at work. */
const WORRYING = new Set([
  'GroupConflict',
  'NoChannel',
  'PinNotFound',
  'Quarantined',
  'Halted',
  'RetriesExhausted',
  'AgentSilent',
  'AgentFaulty',
  'EngineUnsupported',
]);

/** Carries changes out, several at once, and tells on the Node when it is held. */
export class NodeWrites {
  readonly #writer: StateWriter;
  readonly #events: Pick<EventRecorder, 'event'>;

  constructor(writer: StateWriter, events: Pick<EventRecorder, 'event'>) {
    this.#writer = writer;
    this.#events = events;
  }

  /** Tries every change, then throws the first error if there was any: what comes after must not happen. */
  async all(
    changes: readonly Change[],
    nodes: ReadonlyMap<string, Node>,
    signal: AbortSignal,
  ): Promise<void> {
    const waiting = [...changes];
    const errors: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let change = waiting.shift(); change !== undefined; change = waiting.shift()) {
        const node = nodes.get(change.node.name);
        if (node === undefined) continue;
        await this.one(node, change.node.wanted, change.next, signal).catch((error: unknown) =>
          errors.push(error),
        );
        if (signal.aborted) return;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    signal.throwIfAborted();
    if (errors.length > 0) throw errors[0];
  }

  async one(node: Node, before: WantedUpdate, next: WantedUpdate, signal: AbortSignal): Promise<void> {
    await this.#writer.write(node, next, signal);
    const { hold } = next;
    if (hold === undefined || hold.reason === before.hold?.reason) return;
    this.#events.event(node, WORRYING.has(hold.reason) ? 'Warning' : 'Normal', hold.reason, hold.message);
  }
}
