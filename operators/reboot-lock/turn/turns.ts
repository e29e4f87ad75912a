import { CORDON_ANNOTATION } from '#api/group.ts';
import type { RebootReason, Verdict } from '#api/reasons.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { Cluster, RebootSpec } from '../cluster/cluster.ts';
import { StaleView, type View } from '../cluster/view.ts';
import type { Self } from '../drain/crew.ts';
import { Drain } from '../drain/drain.ts';
import type { DrainState } from '../drain/plan.ts';
import { writeMark, type CordonMark } from '../lock/cordon-mark.ts';
import type { NodeFacts } from '../lock/facts.ts';
import { pausedUntil } from '../lock/policy.ts';
import { subjectOf, type Snapshot, type Subject } from '../lock/snapshot.ts';
import { grantFor } from './grant.ts';
import { DRAINED_AGAIN, nextStep, type Progress, type Step } from './step.ts';

/** What a node in its turn is at, for those who tell and measure. */
export interface TurnReport {
  step: Step['do'];
  verdict?: Verdict<RebootReason> | undefined;
  /** What was carried out; absent when nothing was written. */
  done?: 'Cordon' | 'Grant' | 'Revoke' | 'CallOff' | 'Uncordon';
  /** When our cordon was set, epoch milliseconds. */
  cordonedAt?: number | undefined;
  againMs?: number | undefined;
}

/** How often a draining node is looked at: one list of its pods each. */
const POLL_MS = 500;
const RETRY_MS = 100;

export interface TurnsOptions {
  view: View;
  cluster: Cluster;
  /** Recorded with every cordon. */
  identity: string;
  /** The pod that this operator runs in; none outside a cluster. */
  self?: Self | undefined;
}

/** Carries out the turns of nodes, one step at a time. Every write names the versions that it was decided on. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #view: View;
  readonly #cluster: Cluster;
  readonly #drains = new Map<string, Drain>();
  readonly #overSince = new Map<string, number>();

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#view = options.view;
    this.#cluster = options.cluster;
  }

  /** Undefined: the node is not in a turn, or the view is too old to decide from. */
  async step(name: string): Promise<TurnReport | undefined> {
    if (this.#view.stale() !== undefined) return { step: 'Wait', againMs: POLL_MS };
    const snapshot = this.#view.cached();
    const progress: Progress = { overSince: this.#overSince.get(name) };
    let step = this.#decide(name, snapshot, progress);
    if (step?.do === 'Drain') {
      progress.drain = await this.#drain(name, snapshot, step.force);
      step = this.#decide(name, this.#view.cached(), progress);
    }
    if (step === undefined || step.do === 'Nothing') {
      this.#forget(name);
      return undefined;
    }
    this.#remember(name, step, snapshot.now);
    if (step.do === 'Wait') return { step: step.do, verdict: step.verdict, againMs: step.againMs };
    if (step.do === 'Drain') return { step: step.do, verdict: draining(progress.drain), againMs: POLL_MS };
    return this.#carryOut(name, step, progress);
  }

  #decide(name: string, snapshot: Snapshot, progress: Progress): Step | undefined {
    const subject = subjectFor(name, snapshot);
    return subject && nextStep(subject, snapshot, progress);
  }

  async #drain(name: string, snapshot: Snapshot, force: boolean): Promise<DrainState | undefined> {
    const member = subjectFor(name, snapshot)?.member;
    if (member === undefined || !('group' in member)) return undefined;
    const drain = this.#drains.get(name) ?? this.#newDrain(name);
    this.#drains.set(name, drain);
    return drain.pass(member.group.spec.reboot.drain, force);
  }

  #newDrain(node: string): Drain {
    const held = (other: string): boolean =>
      this.#view.cached().nodes.some(({ name, mark }) => name === other && mark !== undefined);
    return new Drain({
      cluster: this.#cluster,
      node,
      now: () => this.#view.now(),
      self: this.#options.self,
      held,
    });
  }

  /**
   * Only what a live read leads to as well is done; a conflict means that the world moved, so look again. The
   * cordon needs no read of its own: its place was just taken on one, and its patch names the version of the Node.
   */
  async #carryOut(name: string, wanted: Step, progress: Progress): Promise<TurnReport> {
    try {
      const all = wanted.do === 'Grant';
      const snapshot = wanted.do === 'Cordon' ? this.#view.cached() : await this.#view.live([name], { all });
      const subject = subjectFor(name, snapshot);
      const step = subject && nextStep(subject, snapshot, progress);
      if (subject === undefined || step?.do !== wanted.do) return { step: 'Wait', againMs: RETRY_MS };
      return await this.#write(subject.node, step, snapshot.now);
    } catch (error) {
      if (!(error instanceof StaleView) && !isKubeError(error, 'Conflict')) throw error;
      return { step: wanted.do, againMs: RETRY_MS };
    }
  }

  async #write(node: NodeFacts, step: Step, now: number): Promise<TurnReport> {
    const cordonedAt = node.mark?.at;
    switch (step.do) {
      case 'Cordon':
        // A cordon that is off: whoever still means to grant on the drain before has to fail first.
        if (node.mark !== undefined) await this.#tell(node, { hold: holdOf(DRAINED_AGAIN, now) });
        await this.#cordon(node, { at: now, lifted: false });
        return { step: step.do, done: step.do, againMs: 0 };
      case 'Grant':
        // First, since whoever writes the grant may be killed right after it, and nobody may be left who could.
        if (step.lift) await this.#cordon(node, { at: cordonedAt || now, lifted: true });
        await this.#tell(node, { grant: grantFor(node, step.notAfter) });
        return { step: step.do, done: step.do, cordonedAt };
      case 'Revoke':
        await this.#tell(node, { hold: holdOf(step.verdict, now) });
        return { step: step.do, done: step.do, verdict: step.verdict, againMs: 0 };
      case 'CallOff':
        // Fence first: whoever still means to grant from an older view has to fail before the node is let go.
        await this.#tell(node, { hold: holdOf(step.verdict, now), ...pause(node, step.notBefore, now) });
        await this.#uncordon(node);
        return { step: step.do, done: step.do, verdict: step.verdict, againMs: 0 };
      case 'Uncordon':
        await this.#uncordon(node);
        return { step: step.do, done: step.do };
      case 'Nothing':
      case 'Wait':
      case 'Drain':
        return { step: step.do };
    }
  }

  async #cordon(node: NodeFacts, mark: CordonMark): Promise<void> {
    const text = writeMark(this.#options.identity, mark);
    await this.#patchNode(node, mark.lifted ? null : true, { [CORDON_ANNOTATION]: text });
  }

  /** Only our own cordon is lifted. A person who wants the node to stay cordoned keeps it. */
  async #uncordon(node: NodeFacts): Promise<void> {
    if (node.mark === undefined) return;
    const unschedulable = node.keepCordoned ? undefined : null;
    await this.#patchNode(node, unschedulable, { [CORDON_ANNOTATION]: null });
  }

  async #patchNode(...change: Parameters<Cluster['patchNode']>): Promise<void> {
    this.#view.nodes.put(await this.#cluster.patchNode(...change));
    this.#view.changed();
  }

  async #tell({ name, state }: NodeFacts, reboot: RebootSpec): Promise<void> {
    if (state === undefined) return;
    const { uid, resourceVersion } = state;
    this.#view.states.put(await this.#cluster.applyReboot({ name, uid, resourceVersion }, reboot));
    this.#view.changed();
  }

  #remember(name: string, step: Step, now: number): void {
    const over = step.do === 'Wait' && step.held === true;
    if (!over && step.do !== 'CallOff' && step.do !== 'Revoke') this.#overSince.delete(name);
    else if (!this.#overSince.has(name)) this.#overSince.set(name, now);
  }

  #forget(name: string): void {
    this.#drains.delete(name);
    this.#overSince.delete(name);
  }
}

function subjectFor(name: string, snapshot: Snapshot): Subject | undefined {
  const node = snapshot.nodes.find((one) => one.name === name);
  return node && subjectOf(node, snapshot);
}

function draining(drain: DrainState | undefined): Verdict<RebootReason> {
  if (drain?.blocked === undefined) {
    return {
      reason: 'Draining',
      message: `${drain?.remaining ?? 'unknown'} pods are still to leave the node`,
    };
  }
  const since = new Date(drain.blocked.since).toISOString();
  return { reason: 'DrainBlocked', message: `${drain.blocked.message} (since ${since})`.slice(0, 1024) };
}

function holdOf({ reason, message }: Verdict<RebootReason>, now: number): NonNullable<RebootSpec['hold']> {
  return { reason, message: message.slice(0, 1024), since: new Date(now).toISOString() };
}

/** A pause that runs already is kept. */
function pause(node: NodeFacts, notBefore: number | undefined, now: number): Pick<RebootSpec, 'notBefore'> {
  const until = Math.max(notBefore ?? 0, pausedUntil(node, now));
  return until > now ? { notBefore: new Date(until).toISOString() } : {};
}
