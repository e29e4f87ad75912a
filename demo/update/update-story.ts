import { until } from '#test/cluster/until.ts';
import { readTraffic, sumOf } from '#test/observer/audit.ts';
import { LeaderLog } from '#test/observer/leader-log.ts';
import { Observer } from '#test/observer/observer.ts';
import { TurnLog } from '#test/observer/turns.ts';
import { allRest, readWorld, type World } from '#test/stack/objects.ts';
import type { Stack } from '#test/stack/stack.ts';
import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';
import { showIdle } from '../idle.ts';
import { Narrator } from '../narrator.ts';
import type { Screen } from '../screen.ts';
import { StoryError, type Story } from '../story.ts';
import { PodLedger, WORKLOAD, workloadManifests } from '../workload.ts';
import { render } from './render.ts';
import { reportTable, type ChapterFacts } from './report.ts';
import { holderNames, machineViews, type Scene } from './scene.ts';
import { SystemdVersions } from './systemd-versions.ts';

const GROUP = 'workers';
/** How long a machine must have been Ready before its place is given on, at speed 1. */
const SETTLE_SECONDS = 5;

/** 1.0.0 → 2.0.0, a broken 3.0.0 that halts and falls back, 3.0.1; then nothing. */
export class UpdateStory implements Story {
  readonly shows = 'nodegroups,rebootlocks,nodestates';
  readonly chapters: ChapterFacts[] = [];
  readonly #stack: Stack;
  readonly #screen: Screen;
  readonly #budget: number;
  readonly #minReadySeconds: number;
  readonly #observer: Observer;
  readonly #pods = new PodLedger();
  readonly #lead = new LeaderLog();
  readonly #systemd: SystemdVersions;
  /** Of this chapter. */
  readonly #turns = new TurnLog();
  readonly #narrator: Narrator<World>;

  constructor(stack: Stack, screen: Screen, { budget, speed }: { budget: number; speed: number }) {
    this.#stack = stack;
    this.#screen = screen;
    this.#budget = budget;
    this.#systemd = new SystemdVersions(stack);
    this.#minReadySeconds = Math.ceil(SETTLE_SECONDS / speed);
    this.#observer = new Observer(stack.cluster, ({ metadata }) =>
      stack.machineNames.includes(metadata.name),
    );
    const sight = { look: () => this.#look(), reasons: (world: World) => this.#reasons(world) };
    this.#narrator = new Narrator(screen, sight, stack.patienceMs);
  }

  report(): string[] {
    return reportTable(this.chapters);
  }

  async tell(): Promise<void> {
    this.#observer.start();
    try {
      await this.#prepare();
      await this.#rollOut('2.0.0', 'ok');
      await this.#breakAndHalt('3.0.0');
      await this.#rollOut('3.0.1', 'ok');
      this.#judgeLeaders();
      await showIdle(this.#narrator, this.#stack, (from, to) => this.#writes(from, to));
    } finally {
      this.#observer.stop();
    }
  }

  async #prepare(): Promise<void> {
    const { machineNames } = this.#stack;
    this.#narrator.begin(`${machineNames.length} machines join on 1.0.0`);
    await this.#stack.apply(workloadManifests());
    await this.#stack.publishAndDeclare('1.0.0');
    await this.#stack.applyGroup(({ spec }) => {
      spec.reboot.minReadySeconds = this.#minReadySeconds;
    });
    await this.#narrator.until('every machine has joined and reports 1.0.0', (world) =>
      allRest(world, machineNames, '1.0.0'),
    );
    await this.#narrator.until(
      `${WORKLOAD.replicas} pods are ready`,
      () => this.#pods.ready === WORKLOAD.replicas,
    );
  }

  async #rollOut(version: string, behaviour: RealBehaviour): Promise<void> {
    const { machineNames } = this.#stack;
    await this.#measure(version, machineNames.length, async () => {
      this.#narrator.begin(`${version} is published`);
      await this.#stack.publishAndDeclare(version, behaviour);
      await this.#narrator.until(`every machine runs ${version}`, (world) =>
        allRest(world, this.#stack.machineNames, version),
      );
      this.#narrator.say(
        `every machine runs ${version}; never more than ${this.#observer.ledger.worst.count} were unavailable at once`,
      );
    });
  }

  async #breakAndHalt(version: string): Promise<void> {
    const before = '2.0.0';
    const facts = await this.#measure(`${version} (broken)`, 0, async () => {
      this.#narrator.begin(`${version} is published, and it does not boot`);
      await this.#stack.publishAndDeclare(version, 'no-boot');
      await this.#narrator.until(
        'the rollout has halted',
        ({ group }) => group?.status?.rollout?.halted !== undefined,
      );
      await this.#narrator.until(`every machine is back on ${before}`, (world) =>
        allRest(world, this.#stack.machineNames, before),
      );
      const { group } = await this.#look();
      this.#narrator.say(`halted: ${group?.status?.rollout?.halted?.reason ?? ''}`);
    });
    facts.updates = new Set(this.#observer.ledger.reboots.map(({ node }) => node)).size;
    if (facts.updates > this.#budget) {
      throw new StoryError(
        `${facts.updates} machines booted ${version}; the rollout should have stopped at ${this.#budget}`,
      );
    }
  }

  /** Of careen, its leaders' leases apart. */
  async #writes(from: number, to: number): Promise<number> {
    const traffic = await readTraffic(this.#stack.cluster.auditLog, from, to);
    const careen = [...traffic].filter(([user]) => user.includes(':careen-'));
    return sumOf(careen, (one) => one.writes + one.events);
  }

  /** Runs one chapter and keeps what the observer saw of it. */
  async #measure(name: string, updates: number, chapter: () => Promise<void>): Promise<ChapterFacts> {
    const { ledger } = this.#observer;
    ledger.reset();
    this.#pods.reset();
    this.#turns.clear();
    const from = Date.now();
    await chapter();
    const to = Date.now();
    await this.#stack.settle();
    // What it has not seen yet must not count as the next chapter's.
    await until('the observer has seen the last one back', () => ledger.unavailable().length === 0, {
      timeoutMs: this.#stack.patienceMs,
    });
    const traffic = await readTraffic(this.#stack.cluster.auditLog, from, to);
    const outages = ledger.outages.filter((outage) => outage.to !== undefined);
    const facts: ChapterFacts = {
      name,
      wallMs: Math.max(...outages.map((one) => one.to ?? 0)) - Math.min(...outages.map((one) => one.from)),
      totalMs: to - from,
      budget: this.#budget,
      worst: ledger.worst.count,
      outages,
      evicted: sumOf([...traffic], (one) => one.evictions),
      lost: this.#pods.lost.size,
      updates,
      traffic,
    };
    this.chapters.push(facts);
    this.#judge(facts);
    return facts;
  }

  #judge({ name, worst, lost }: ChapterFacts): void {
    if (worst > this.#budget) {
      const { nodes } = this.#observer.ledger.worst;
      throw new StoryError(
        `${name}: ${worst} machines were unavailable at once (${nodes.join(', ')}), ${this.#budget} may be`,
      );
    }
    const overtaken = this.#turns.overtakenByLeader((at) => this.#lead.nodeAt(at));
    if (overtaken.length > 0)
      throw new StoryError(`${name}: ${overtaken.join(' and ')} waited for the node that the leader was on`);
    if (lost > 0)
      throw new StoryError(`${name}: ${lost} pods went down with their machine instead of being evicted`);
    const least = WORKLOAD.replicas - WORKLOAD.maxUnavailable;
    if (this.#pods.fewestReady < least) {
      throw new StoryError(
        `${name}: only ${this.#pods.fewestReady} pods were ready at one time, at least ${least} must be`,
      );
    }
  }

  /** Operators that live on the nodes that they reboot: who leads hands over, and its node goes last. */
  #judgeLeaders(): void {
    if (this.#stack.nodes === 'light') return;
    const { handOvers } = this.#lead;
    if (handOvers === 0)
      throw new StoryError('every node has rebooted, and still the same replica leads the reboot lock');
    this.#narrator.say(
      `the leader of the reboot lock handed over ${handOvers} times; its own node let all others go first`,
    );
  }

  /** Why machines do not move, for the one who has waited in vain. */
  #reasons(world: World): string[] {
    const told = this.#scene(world).machines.filter(({ why }) => why !== '');
    return told.map(({ name, why }) => `${name}: ${why}`);
  }

  async #look(): Promise<World> {
    const before = this.#stack.power();
    const world = await readWorld(this.#stack.client, GROUP, `app=${WORKLOAD.name}`);
    this.#pods.see(world.pods, before, this.#stack.power());
    this.#note(world);
    await this.#systemd.look();
    this.#screen.show(render(this.#scene(world), process.stdout.columns ?? 120));
    return world;
  }

  #note({ leaders, states, lock }: World): void {
    const now = Date.now();
    const leader = leaders.find(({ operator }) => operator === 'careen-reboot-lock');
    this.#lead.see(now, leader?.pod, leader?.node);
    for (const { metadata, status } of states)
      if (status?.update?.phase === 'Staged') this.#turns.asks(metadata.name, now);
    this.#turns.see(lock);
  }

  #scene(world: World): Scene {
    const nodes = world.nodes.filter(({ metadata }) => this.#stack.machineNames.includes(metadata.name));
    const { ledger } = this.#observer;
    return {
      chapter: this.#narrator.chapter,
      elapsedMs: this.#narrator.elapsedMs,
      machines: machineViews({ ...world, nodes, systemd: this.#systemd.versions }),
      leaders: world.leaders,
      places: { max: world.lock?.status?.max ?? this.#budget, holders: holderNames(world.lock) },
      halted: world.group?.status?.rollout?.halted?.reason,
      pods: {
        ready: this.#pods.ready,
        wanted: WORKLOAD.replicas,
        budget: WORKLOAD.replicas - WORKLOAD.maxUnavailable,
      },
      unavailable: { now: ledger.unavailable().length, worst: ledger.worst.count },
    };
  }
}
