import type { NodeState } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { EventRecorder } from '#runtime/events/recorder.ts';
import { type Delivery, TooLargeError } from '../deliver/delivery.ts';
import type { Desired, Desires } from '../desire/desires.ts';
import { fill } from '../render/fill.ts';
import type { Lookup } from '../render/rendered.ts';
import type { RenderedKeeper } from '../rendered/rendered-keeper.ts';
import type { StateWriter } from '../state/state-writer.ts';
import type { Change } from './changes.ts';

const AT_ONCE = 8;

/** Reasons that call for somebody to look; the others are the policy at work. */
const WORRYING = new Set([
  'Conflicted',
  'ConfigInvalid',
  'ValueMissing',
  'SecretMissing',
  'TooLarge',
  'Halted',
  'ConfigFailed',
  'AgentSilent',
  'Unsupported',
]);

export interface CarryOutOptions {
  writer: StateWriter;
  delivery: Delivery;
  keeper: RenderedKeeper;
  desires: Desires;
  secret: Lookup;
  /** Of a Node's UID. */
  salt: (nodeUID: string) => string;
  events: Pick<EventRecorder, 'event'>;
}

/** What belongs to one node. */
export interface Subject {
  node: Node;
  state: NodeState;
  desired: Desired;
}

/**
 * Carries changes out. What a node is told of is there before it is told: the RenderedConfig, the node's account, its
 * bundle; killed between any two of these writes, the next leader finds what is missing and goes on.
 */
export class CarryOut {
  readonly #options: CarryOutOptions;

  constructor(options: CarryOutOptions) {
    this.#options = options;
  }

  /** Tries every change, then throws the first error if there was any: what comes after must not happen. */
  async all(
    changes: readonly Change[],
    subjects: ReadonlyMap<string, Subject>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#each(changes, signal, async (change) => {
      const subject = subjects.get(change.node.name);
      if (subject !== undefined) await this.#one(subject, change, signal);
    });
  }

  /** Gives nodes again what somebody took away, and takes back what is left over. */
  async mend(subjects: Iterable<Subject>, signal: AbortSignal): Promise<void> {
    const broken = [...subjects].filter((subject) => this.#isBroken(subject));
    await this.#each(broken, signal, async (subject) => {
      if (subject.state.spec?.config?.hash === undefined)
        return this.#options.delivery.take(subject.node.metadata.name, signal);
      return this.#give(subject, subject.state.spec.config.generation ?? 1, signal);
    });
  }

  async #one(
    { node, state, desired }: Subject,
    { node: facts, next }: Change,
    signal: AbortSignal,
  ): Promise<void> {
    const { writer, keeper, events } = this.#options;
    const isGiven = desired.kind === 'bundle' && next.hash === desired.hash;
    if (isGiven) {
      await keeper.make(desired.rendered, desired.configs, signal);
      if (!(await this.#give({ node, state, desired }, next.generation ?? 1, signal))) return;
    }
    await writer.write(state, next, signal);
    const { hold } = next;
    if (hold === undefined || hold.reason === facts.wanted.hold?.reason) return;
    events.event(node, WORRYING.has(hold.reason) ? 'Warning' : 'Normal', hold.reason, hold.message);
  }

  /** False: it does not fit, which the next plan says. */
  async #give({ node, state, desired }: Subject, generation: number, signal: AbortSignal): Promise<boolean> {
    if (desired.kind !== 'bundle') return false;
    const { delivery, desires, salt, secret } = this.#options;
    const { name, uid = '' } = node.metadata;
    const filled = fill(desired.rendered, node, secret);
    if (!filled.ok) return false;
    const parcel = { node, state, hash: desired.hash, generation, salt: salt(uid) };
    try {
      await delivery.give(parcel, () => filled.document, signal);
      return true;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      desires.tooLarge(name, desired.hash, error.message);
      return false;
    }
  }

  #isBroken({ node, state, desired }: Subject): boolean {
    const { delivery } = this.#options;
    const { hash, generation = 1 } = state.spec?.config ?? {};
    if (hash === undefined) return desired.kind === 'none' && delivery.hasAny(node.metadata.name);
    return (
      desired.kind === 'bundle' && desired.hash === hash && !delivery.isDone({ state, hash, generation })
    );
  }

  async #each<T>(
    items: readonly T[],
    signal: AbortSignal,
    act: (item: T) => Promise<unknown>,
  ): Promise<void> {
    const waiting = [...items];
    const errors: unknown[] = [];
    const work = async (): Promise<void> => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        await act(item).catch((error: unknown) => errors.push(error));
        if (signal.aborted) return;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    signal.throwIfAborted();
    // Of several errors one that is no mere conflict says more.
    const worst = errors.find((error) => !isKubeError(error, 'Conflict')) ?? errors[0];
    if (worst !== undefined) throw worst;
  }
}
