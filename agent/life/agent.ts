import type { NodeState } from '#api/kinds.ts';
import { faultStatus } from '../report/fault-status.ts';
import { statusOf } from '../report/status.ts';
import type { AgentRecord, Failure } from '../record/record.ts';
import type { HostFacts } from '../boot/host.ts';
import type { Turn } from '../config/life/config-life.ts';
import { SlotError } from '../slots/slot-error.ts';
import type { SlotEngine } from '../slots/engine.ts';
import { acceptForConfig } from './accept-for-config.ts';
import { Beside } from './beside.ts';
import { carryOut } from './carry-out.ts';
import type { Facts, Work } from './facts.ts';
import { failureOf, isFault } from './fault.ts';
import { nextStep } from './next-step.ts';
import { readSpec, wishIn } from './read-spec.ts';
import type { SpecRead } from './read-spec.ts';
import type { Parts } from './parts.ts';
import type { Step } from './step.ts';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
/** How often another agent's claim on the machine is looked at. */
const CLAIMED_MS = 2000;
/** A fault is told when it stays: so many times in a row, which takes 3 s. One that passes is only logged. */
const FAULTS_TOLD = 3;

const CONFIG_RETRY_MS = 5000;
/** Steps of the update during which the configuration has its turn. */
const BESIDE: ReadonlySet<Step['do']> = new Set(['idle', 'check', 'accept']);

/**
 * The loop: look, decide, do one thing, say what is. It begins anew from the disk, the record and the
 * NodeState each time, so that it may be killed anywhere and an error ends nothing but the step.
 */
export class Agent {
  readonly #parts: Parts;
  readonly #beside: Beside;
  readonly #work: Work = {};
  #object: NodeState | undefined;
  #spec: SpecRead | undefined;
  #wake = new AbortController();
  #host: HostFacts | undefined;
  #engine: SlotEngine | 'none' | undefined;
  #record: AgentRecord | undefined;
  #errors = 0;
  #faultSince: number | undefined;
  #said = '';
  #stepBegan: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#beside = new Beside(parts, this.#work, () => this.wake());
  }

  /** The agent's NodeState as it is now; undefined: there is none. */
  observe(object: NodeState | undefined): void {
    this.#object = object;
    this.#spec = object && readSpec(object);
    this.wake();
  }

  /** Has the loop look again. */
  wake(): void {
    this.#wake.abort();
  }

  /** How long the step under way has run, in ms; 0 between steps. */
  busyMs(): number {
    return this.#stepBegan === undefined ? 0 : performance.now() - this.#stepBegan;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      this.#stepBegan = performance.now();
      const waitMs = await this.#turn(signal);
      this.#stepBegan = undefined;
      if (waitMs > 0) await this.#parts.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal]));
    }
    await this.#beside.stop();
  }

  /** One step; how long nothing needs to be done after it, in ms. */
  async #turn(signal: AbortSignal): Promise<number> {
    try {
      const waitMs = await this.#step(signal);
      this.#errors = 0;
      return waitMs;
    } catch (error) {
      if (signal.aborted) return 0;
      return this.#failed(error);
    }
  }

  async #step(signal: AbortSignal): Promise<number> {
    this.#host ??= await this.#parts.host.facts();
    if (!(await this.#parts.claim())) return this.#leaveAlone();
    const { facts, engine } = await this.#look(this.#host);
    const step = nextStep(facts);
    this.#say(step);
    const config = await this.#configure(step, facts, signal);
    if (config.did || step.do === 'idle' || step.do === 'check') this.#propose(facts);
    if (config.did) return 0;
    if (step.do === 'idle') return Math.min(step.waitMs ?? Number.POSITIVE_INFINITY, config.waitMs);
    if (engine === undefined) return Number.POSITIVE_INFINITY;
    // Whoever ends the agent waits for it: nothing new is begun.
    signal.throwIfAborted();
    const context = { parts: this.#parts, beside: this.#beside, work: this.#work, engine, facts, signal };
    this.#record = await carryOut(step, context);
    return step.do === 'check' && !this.#passedAll() ? step.waitMs : 0;
  }

  /**
   * A step of the configuration, before those of the update that could come in its way: it goes first where both
   * wait for one reboot.
   */
  async #configure(step: Step, facts: Facts, signal: AbortSignal): Promise<Turn> {
    const { config } = this.#parts;
    if (config === undefined || !BESIDE.has(step.do)) return { did: false, waitMs: Number.POSITIVE_INFINITY };
    const { host, record, spec } = facts;
    const accept = (grantID: string) =>
      acceptForConfig(grantID, { parts: this.#parts, facts: { ...facts, config: config.report() }, signal });
    const around = {
      bootID: host.bootID,
      spec,
      update: record.armed === undefined ? ('Idle' as const) : updateAt(facts),
      updateStaged: record.staged !== undefined,
      accept,
    };
    try {
      return await config.turn(around, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // Updates go on, whatever is wrong with the configuration.
      this.#parts.log.error('a step of the configuration failed and is tried again', { error });
      return { did: false, waitMs: CONFIG_RETRY_MS };
    } finally {
      facts.config = config.report();
    }
  }

  /** The facts as they are now; the record is read once, and again after it could not be written. */
  async #look(host: HostFacts): Promise<{ facts: Facts; engine: SlotEngine | undefined }> {
    this.#record ??= await this.#parts.records.read();
    const engine = await this.#open(this.#record);
    const settled = await this.#beside.settle(this.#record, host);
    this.#record = settled;
    const facts: Facts = {
      now: this.#parts.now(),
      monotonicMs: this.#parts.monotonicMs(),
      uptimeMs: await this.#parts.host.uptimeMs(),
      host,
      engine: await engine?.status(),
      record: settled,
      spec: this.#spec?.spec,
      work: this.#work,
    };
    return { facts, engine };
  }

  /** Opens the slots once; the disk that holds them is the only one from then on. */
  async #open(record: AgentRecord): Promise<SlotEngine | undefined> {
    if (this.#engine !== undefined) return this.#engine === 'none' ? undefined : this.#engine;
    try {
      const engine = await this.#parts.openEngine(record.diskID);
      if (await engine.repair()) this.#parts.log.warn('mended a damaged slot table');
      await this.#pin(record, engine);
      // Of an agent that was killed when all but this was done.
      if (record.armed === undefined) await this.#parts.host.deadman.disarm();
      this.#engine = engine;
      return engine;
    } catch (error) {
      if (!(error instanceof SlotError) || error.code !== 'NoSlots') throw error;
      this.#parts.log.info('no slots to switch between: this machine is left alone', { why: error.message });
      this.#engine = 'none';
      return undefined;
    }
  }

  async #pin(record: AgentRecord, engine: SlotEngine): Promise<void> {
    const { diskID } = await engine.status();
    if (record.diskID === diskID) return;
    const pinned = { ...record, diskID };
    await this.#parts.records.write(pinned);
    this.#record = pinned;
  }

  #failed(error: unknown): number {
    const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#errors, 10));
    this.#errors += 1;
    // What was written before the error is on the disk, and is read again from there.
    this.#record = undefined;
    this.#parts.log.error('a step failed and is tried again', { error, retryMs });
    if (isFault(error) && this.#errors >= FAULTS_TOLD) this.#proposeFault(failureOf(error));
    return retryMs;
  }

  /** Said over what was said before, so not before that is known. */
  #proposeFault(fault: Failure): void {
    if (this.#host === undefined || this.#object === undefined) return;
    const { reporter, agentVersion } = this.#parts;
    const { reported } = reporter;
    const faultSince = (this.#faultSince ??= this.#parts.now());
    const wanted = wishIn(this.#object);
    reporter.propose(faultStatus({ host: this.#host, agentVersion, reported, fault, faultSince, wanted }));
  }

  #propose(facts: Facts): void {
    if (this.#spec?.problem !== undefined) return this.#proposeFault(this.#spec.problem);
    this.#faultSince = undefined;
    const { reporter, agentVersion, startedAt } = this.#parts;
    // What is on its way already: a write is answered late, and instants taken from either side in turn never rest.
    const reported = reporter.proposed ?? reporter.reported;
    const { progress } = this.#beside;
    reporter.propose(statusOf({ ...facts, agentVersion, startedAt, reported, progress }));
  }

  #passedAll(): boolean {
    return this.#work.checks?.every(({ passed }) => passed) === true;
  }

  /** Another agent is at work here: nothing is done, and nothing said over what it says. */
  #leaveAlone(): number {
    this.#say({ do: 'idle', why: 'another agent runs on this machine; this one waits until it has ended' });
    return CLAIMED_MS;
  }

  /** Logs what is done, once. */
  #say(step: Step): void {
    const said =
      step.do === 'idle' || step.do === 'stop' || step.do === 'drop' || step.do === 'disarm'
        ? `${step.do}: ${step.why}`
        : step.do;
    if (said !== this.#said) this.#parts.log.info(said);
    this.#said = said;
  }
}

/** With an armed slot the machine either goes down, or is up with a version on trial. */
function updateAt({ record: { armed }, host }: Facts): 'GoingDown' | 'Trial' {
  return armed?.bootID === host.bootID ? 'GoingDown' : 'Trial';
}
