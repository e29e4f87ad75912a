import assert from 'node:assert/strict';
import type { NodeState } from '#api/kinds.ts';
import { nodeStateStatus } from '#api/node-state.ts';
import type { NodeStateStatus, NodeStateSpec } from '#api/node-state.ts';
import { KubeError } from '#runtime/client/error.ts';
import { parseRecord } from '../../record/record-file.ts';
import { emptyRecord } from '../../record/record.ts';
import { Reporter } from '../../report/reporter.ts';
import { applyMergePatch } from '../../report/testing/apply-merge-patch.ts';
import { Agent } from '../agent.ts';
import type { Parts } from '../parts.ts';
import { ModelDeadman } from './model-deadman.ts';
import { ModelDisk } from './model-disk.ts';
import { ModelOperator } from './model-operator.ts';
import type { Cut, Scenario } from './scenario.ts';
import { VirtualTime } from './virtual-time.ts';

/** Longer than any story: more effects than this is a loop that does not end. */
const MOST_EFFECTS = 400;

/**
 * One machine, its disk, its host and the API server, in memory, with a clock that only moves while everybody
 * waits. Agent and Reporter are the real ones.
 */
export class World {
  readonly disk = new ModelDisk();
  readonly deadman = new ModelDeadman();
  readonly effects: string[] = [];
  readonly #scenario: Scenario;
  readonly #time = new VirtualTime();
  readonly #operator = new ModelOperator();
  #meddled: boolean;
  #record: string | undefined;
  #boots = 1;
  #bootedAt = this.#time.now;
  #awayUntil: number | undefined;
  #version = 1;
  /** What the agent's watch has shown it. */
  #shown = 0;
  #deaf: number;
  #cuts: Cut[];
  status: NodeStateStatus | undefined;
  spec: NodeStateSpec = {};
  #end = Promise.withResolvers<'killed' | 'rebooted' | 'quiet'>();
  #life = 0;
  #agent: Agent | undefined;
  #reporter: Reporter | undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#deaf = scenario.deaf ?? 0;
    this.#cuts = [...scenario.cuts];
    this.#meddled = scenario.meddled ?? false;
  }

  /** By the clock that nobody sets. */
  get now(): number {
    return this.#time.now;
  }

  /** The record on disk, as the agent would read it. */
  get record() {
    return this.#record === undefined ? emptyRecord() : parseRecord(this.#record, 'record');
  }

  /** Wants `version` and lets agents live and die until nothing moves any more. */
  async play(version: string): Promise<void> {
    this.spec = {
      update: {
        version,
        attempt: 1,
        keys: [],
        payload: { manifest: 'http://example/manifest.json' },
        health: { deadline: '60s', checks: [{ name: 'node-ready', nodeReady: {}, timeout: '10s' }] },
      },
    };
    this.#version += 1;
    for (;;) {
      const end = await this.#live();
      if (end === 'quiet') return;
    }
  }

  async #live(): Promise<string> {
    this.#life += 1;
    const life = this.#life;
    this.#end = Promise.withResolvers();
    this.#time.forget();
    const { signal } = new AbortController();
    this.#shown = 0;
    if (this.disk.running.behaviour === 'no-agent') return this.#unattended();
    this.#reporter = this.#newReporter(life);
    this.#agent = new Agent(this.#parts(life, this.#reporter));
    this.#show();
    // A killed agent never gets an answer again: its loops hang and are forgotten.
    const failed = (error: unknown) => this.#end.reject(error);
    this.#agent.run(signal).catch(failed);
    this.#reporter.run(signal).catch(failed);
    this.#drive(life).catch(failed);
    return this.#end.promise;
  }

  /** Nobody is there to judge the slot but the deadman; without one the story ends here. */
  async #unattended(): Promise<string> {
    const firesMs = this.deadman.fire(this.disk.running.partUUID);
    if (firesMs === undefined) return 'quiet';
    this.#time.passTo(this.#bootedAt + firesMs);
    this.effects.push('deadman');
    this.#bootAgain();
    return 'rebooted';
  }

  /** Lets time pass whenever all wait; the story is over when nothing is left to wait for. */
  async #drive(life: number): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
      if (life !== this.#life) return;
      if (this.#others()) continue;
      const away = this.#away ? (this.#awayUntil ?? 0) : Number.POSITIVE_INFINITY;
      const next = Math.min(away, this.#time.next);
      if (!Number.isFinite(next)) return this.#end.resolve('quiet');
      this.#time.passTo(next);
    }
  }

  /** The dead sleep for ever. */
  #sleep(life: number, ms: number, signal?: AbortSignal): Promise<void> {
    return life === this.#life ? this.#time.sleep(ms, signal) : new Promise(() => undefined);
  }

  /** What the machine's wall clock shows. */
  #wall(): number {
    const { jump } = this.#scenario;
    return jump !== undefined && this.effects.length > jump.after ? this.now + jump.ms : this.now;
  }

  #parts(life: number, reporter: Reporter): Parts {
    const guard = (effect: string, change: () => void) => this.#effect(life, effect, change);
    return {
      host: {
        facts: async () => ({
          bootID: this.#bootID,
          os: { id: 'test', version: this.disk.running.version ?? '' },
        }),
        uptimeMs: async () => this.now - this.#bootedAt,
        reboot: () => this.#effect(life, 'reboot', () => this.#reboot()),
        run: async () => ({ status: 0, output: '' }),
        deadman: {
          arm: (trial) => guard('arm deadman', () => this.deadman.arm(trial)),
          disarm: async () => {
            const left = this.deadman.left;
            if (left !== undefined) await guard('disarm deadman', () => this.deadman.disarm());
            return left;
          },
        },
      },
      api: {
        node: async () => this.#node(),
        nodeState: async () => this.#read(),
        patchStatus: async () => assert.fail('the reporter writes'),
      },
      records: {
        read: async () => this.record,
        write: (record) =>
          guard('record', () => {
            this.#record = JSON.stringify(record);
          }),
      },
      reporter: {
        propose: (desired) => reporter.propose(desired),
        commit: (desired, object) => {
          this.#must(() =>
            assert.ok(this.record.armed, 'accepted only what is on record: a full disk never says yes'),
          );
          return reporter.commit(desired, object);
        },
        get proposed() {
          return reporter.proposed;
        },
        get reported() {
          return reporter.reported;
        },
      },
      stager: {
        stage: async (_engine, wanted) => {
          const slot = this.disk.passive;
          await guard('clear slot', () => {
            Object.assign(slot, { priority: 0, tries: 0, successful: false, version: undefined });
          });
          await guard('write slot', () => {
            const version = this.#scenario.mislabelled === true ? '1.5.0' : wanted.version;
            Object.assign(slot, { version, behaviour: this.#scenario.behaviour });
          });
          return { slot: slot.name, partUUID: slot.partUUID, digest: `sha of ${slot.version}`, size: 1 };
        },
        digest: async (_engine, staged) =>
          `sha of ${this.disk.slots.find(({ name }) => name === staged.slot)?.version}`,
      },
      openEngine: async () => this.disk.engine((effect, change) => this.#engineEffect(life, effect, change)),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined } as never,
      now: () => this.#wall(),
      monotonicMs: () => this.now,
      claim: async () => true,
      sleep: (ms, signal) => this.#sleep(life, ms, signal),
      agentVersion: '0',
      startedAt: this.#wall(),
    };
  }

  get #bootID(): string {
    return `boot-${this.#boots}`;
  }

  get #away(): boolean {
    const { away } = this.#scenario;
    if (away === undefined || this.effects.length < away.from) return false;
    this.#awayUntil ??= this.now + away.ms;
    return this.now < this.#awayUntil;
  }

  #node() {
    if (this.#away) throw new KubeError('away', { code: 'Unreachable' });
    const healthy = this.disk.running.behaviour === 'ok' && this.now - this.#bootedAt > 3000;
    const status = healthy ? ('True' as const) : ('False' as const);
    const nodeInfo = { bootID: this.#bootID };
    return {
      metadata: { name: 'n1', uid: 'uid' },
      status: { nodeInfo, conditions: [{ type: 'Ready', status }] },
    };
  }

  #read(): NodeState {
    if (this.#away) throw new KubeError('away', { code: 'Unreachable' });
    const metadata = { name: 'n1', uid: 'state', resourceVersion: String(this.#version) };
    const status = this.status === undefined ? {} : { status: this.status };
    return structuredClone({
      apiVersion: '',
      kind: 'NodeState' as const,
      metadata,
      spec: this.spec,
      ...status,
    });
  }

  #newReporter(life: number): Reporter {
    return new Reporter({
      api: { patchStatus: (patch, version) => this.#patchStatus(life, patch, version) },
      now: () => this.now,
      date: () => this.#wall(),
      random: () => 0.5,
      sleep: (ms, signal) => this.#sleep(life, ms, signal),
    });
  }

  /** The API server's part: the write may meet another, be refused as ill-formed, or be answered late or never. */
  async #patchStatus(life: number, patch: NodeStateStatus, version?: string): Promise<NodeState> {
    const accepts = version !== undefined;
    if (!accepts) this.#must(() => this.#checkReport(patch));
    await this.#sleep(life, this.#scenario.latencyMs ?? 0);
    if (accepts && this.#scenario.conflicts === true && this.#version % 2 === 0) this.#version += 1;
    await this.#effect(life, accepts ? 'accept' : 'report', () => {
      if (this.#away) throw new KubeError('away', { code: 'Unreachable' });
      if (accepts && version !== String(this.#version)) throw new KubeError('changed', { code: 'Conflict' });
      this.#merge(patch);
    });
    const answer = this.#read();
    await this.#sleep(life, this.#scenario.latencyMs ?? 0);
    return answer;
  }

  /** What was accepted is not taken back by a report before the reboot is off: the operator would revoke the grant. */
  #checkReport({ update }: NodeStateStatus): void {
    const accepted = this.status?.update?.phase === 'Rebooting' && this.record.armed?.bootID === this.#bootID;
    if (accepted) assert.ok(update?.phase === undefined || update.phase === 'Rebooting', 'it stays accepted');
  }

  /** A broken rule ends the story; the agent would take it for a fault of the machine, and try again. */
  #must<T>(rule: () => T): T {
    try {
      return rule();
    } catch (error) {
      if (!(error instanceof KubeError)) this.#end.reject(error);
      throw error;
    }
  }

  #merge(patch: object): void {
    const status = applyMergePatch(this.status, patch);
    this.status = nodeStateStatus.parse(status);
    assert.deepEqual(this.status, status, 'the API server keeps all of it');
    this.#version += 1;
  }

  async #engineEffect(life: number, effect: string, change: () => void): Promise<void> {
    if (effect === 'arm') this.#must(() => this.#checkArm());
    await this.#effect(life, effect, change);
  }

  #checkArm(): void {
    assert.equal(
      this.status?.update?.phase,
      'Rebooting',
      'a slot is armed only after the grant was accepted',
    );
    const { grant } = this.spec.reboot ?? {};
    assert.ok(
      grant && grant.bootID === this.#bootID && grant.nodeUID === 'uid',
      'the grant is for this boot',
    );
    assert.ok(this.#wall() < Date.parse(grant.notAfter), 'the grant stands');
    assert.ok(this.disk.passive.version, 'what is armed is whole');
  }

  /** One thing that outlives the agent; here its life may be cut. */
  async #effect(life: number, effect: string, change: () => void): Promise<void> {
    if (life !== this.#life) return new Promise(() => undefined);
    const cut = this.#must(() => this.#take(effect, change));
    if (cut === undefined) return;
    this.#die(cut.what);
    return new Promise(() => undefined);
  }

  /** Does it, or not if a cut comes before; gives the cut. */
  #take(effect: string, change: () => void): Cut | undefined {
    this.effects.push(effect);
    assert.ok(this.effects.length < MOST_EFFECTS, `it ends: ${this.effects.slice(-30).join(', ')}`);
    const index = this.#cuts.findIndex((cut) => cut.effect <= this.effects.length);
    const [cut] = index < 0 ? [] : this.#cuts.splice(index, 1);
    if (cut?.when !== 'before') change();
    const next = this.disk.next();
    assert.ok(next?.version, `after ${effect} the machine has a whole slot to boot`);
    const { running } = this.disk;
    assert.ok(
      !running.successful || !this.deadman.watches(running.partUUID),
      `after ${effect} a good slot is left alone`,
    );
    return cut;
  }

  #die(what: Cut['what']): void {
    this.#life += 1;
    if (what === 'power') this.#bootAgain();
    this.#end.resolve('killed');
  }

  #reboot(): void {
    if (this.#deaf > 0) {
      this.#deaf -= 1;
      return;
    }
    this.#life += 1;
    this.#bootAgain();
    this.#end.resolve('rebooted');
  }

  #bootAgain(): void {
    this.disk.boot();
    this.#boots += 1;
    this.#time.now += 20_000;
    this.#bootedAt = this.now;
  }

  /** Whether anything happened meanwhile that the agent hears of. */
  #others(): boolean {
    if (this.#away) return false;
    const operated = this.#operate();
    if (!operated && this.#shown === this.#version) return false;
    this.#show();
    return true;
  }

  #show(): void {
    if (this.#away) return;
    this.#shown = this.#version;
    const object = this.#read();
    this.#reporter?.observe(object);
    this.#agent?.observe(object);
  }

  #operate(): boolean {
    const { spec, status, record } = this;
    const done = this.#operator.operate({ spec, status, record, now: this.#wall() });
    if (done === 'granted' && this.#meddled) {
      this.disk.passive.version = undefined;
      this.#meddled = false;
    }
    if (done !== undefined) this.#version += 1;
    return done !== undefined;
  }
}
