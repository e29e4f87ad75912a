import { FLATCAR_APP } from '#test/omaha/fleet/fleet.ts';
import { Observer } from '#test/observer/observer.ts';
import { allRest, readWorld, type World } from '#test/stack/objects.ts';
import type { Stack } from '#test/stack/stack.ts';
import type { RealBehaviour } from '#test/machine/real/parts/behaviour.ts';
import { Narrator } from '../narrator.ts';
import type { Screen } from '../screen.ts';
import type { Story } from '../story.ts';
import type { OmahaEndpoint } from './endpoint.ts';
import { publishBuild } from './publish-build.ts';
import { renderOmaha } from './render.ts';
import { reportOmaha, type OmahaChapter } from './report.ts';
import { byVersion, nodesOf, waitingLines, type OmahaScene } from './scene.ts';
import { SimulatedMachines } from './simulated-machines.ts';
import { judge } from './verdict.ts';

const GROUP = 'workers';
const GOOD = '2.0.0';
const BROKEN = '3.0.0';
/** So many nodes and as many machines go first. */
const CANARIES = 2;
const SOAK = '5s';
/** Of the nodes, within the budget that they share with the machines. */
const NODES_DOWN = 2;

export interface OmahaStoryOptions {
  machines: number;
  /** Nodes and machines that may be on their way at once, together. */
  budget: number;
  endpoint: OmahaEndpoint;
  /** How long a node must have been Ready before its place is given on. */
  minReadySeconds: number;
}

/** Nodes and machines with update_engine in one group under one budget: 2.0.0, then a 3.0.0 that does not boot. */
export class OmahaStory implements Story {
  readonly shows = 'nodegroups,rebootlocks,nodestates';
  readonly #stack: Stack;
  readonly #screen: Screen;
  readonly #options: OmahaStoryOptions;
  readonly #observer: Observer;
  readonly #narrator: Narrator<World>;
  readonly #chapters: OmahaChapter[] = [];
  readonly #halts = new Set<string>();
  readonly #reasons = new Map<string, number>();
  #machines: SimulatedMachines | undefined;

  constructor(stack: Stack, screen: Screen, options: OmahaStoryOptions) {
    this.#stack = stack;
    this.#screen = screen;
    this.#options = options;
    this.#observer = new Observer(stack.cluster, ({ metadata }) =>
      stack.machineNames.includes(metadata.name),
    );
    const sight = { look: () => this.#look(), reasons: waiting };
    this.#narrator = new Narrator(screen, sight, 4 * stack.patienceMs);
  }

  report(): string[] {
    return reportOmaha(this.#chapters);
  }

  async tell(): Promise<void> {
    this.#observer.start();
    try {
      await this.#join();
      await this.#rollOut();
      await this.#breakAndHalt();
    } finally {
      this.#observer.stop();
    }
  }

  async end(): Promise<void> {
    await this.#machines?.stop();
    await this.#options.endpoint.close();
  }

  async #join(): Promise<void> {
    const { machines, budget, endpoint, minReadySeconds } = this.#options;
    const all = this.#stack.machineNames.length + machines;
    this.#narrator.begin(`${all} machines join on 1.0.0, ${machines} of them with update_engine`);
    await this.#publish('1.0.0');
    await this.#stack.applyGroup(({ spec }) => {
      spec.update = {
        ...spec.update,
        channel: 'stable',
        omaha: { appID: FLATCAR_APP, tracks: ['stable'], timeout: '5m', rebootTimeout: '5m' },
        rollout: {
          waves: [{ name: 'canary', size: CANARIES, soak: SOAK }],
          maxStaging: budget,
          haltOn: { failures: 2 * CANARIES },
        },
      } as typeof spec.update;
      spec.reboot.maxUnavailable = NODES_DOWN;
      spec.reboot.minReadySeconds = minReadySeconds;
    });
    const url = await endpoint.open(this.#stack);
    this.#machines = new SimulatedMachines(url, machines, BROKEN, this.#observer.ledger);
    await this.#narrator.until(`all ${all} have been heard of and run 1.0.0`, (world) =>
      this.#allRest(world, '1.0.0'),
    );
    this.#narrator.say(
      `one group, one channel, one budget: at most ${budget} may be on their way, of both kinds`,
    );
  }

  async #rollOut(): Promise<void> {
    const promised = { nodes: this.#stack.machineNames.length, machines: this.#options.machines };
    const facts = await this.#measure(GOOD, async () => {
      this.#narrator.begin(`${GOOD} is published; ${CANARIES} of each kind go first`);
      await this.#publish(GOOD);
      await this.#narrator.until(`all of both kinds run ${GOOD}`, (world) => this.#allRest(world, GOOD));
    });
    judge(facts, promised);
    this.#narrator.say(`never more than ${facts.worst} were away at once, nodes and machines together`);
  }

  async #breakAndHalt(): Promise<void> {
    const facts = await this.#measure(`${BROKEN} (broken)`, async () => {
      this.#narrator.begin(`${BROKEN} is published, and it boots on nothing`);
      await this.#publish(BROKEN, 'no-boot');
      await this.#narrator.until('the rollout has halted', ({ group }) => haltedOf(group) !== undefined);
      await this.#narrator.until(
        `all are back on ${GOOD}, and each that waits says why`,
        (world) => this.#allRest(world, GOOD) && this.#allSayWhy(world),
      );
      const { group } = await this.#look();
      this.#narrator.say(`halted: ${haltedOf(group)?.reason ?? ''}`);
    });
    const promised = { nodes: this.#stack.machineNames.length, machines: this.#options.machines };
    judge(facts, { ...promised, canaries: CANARIES });
    const { nodes, machines } = facts.fellBack;
    this.#narrator.say(
      `${nodes} nodes and ${machines} machines booted ${BROKEN} and fell back; it is quarantined there, and the others were never given it`,
    );
  }

  async #publish(version: string, behaviour: RealBehaviour = 'ok'): Promise<void> {
    const release = await this.#stack.releases.publish(version, behaviour);
    release.builds = [await publishBuild(this.#stack, version)];
    await this.#stack.declare();
  }

  /** Nodes serve on the version, machines run it, and the group knows of it. */
  #allRest(world: World, version: string): boolean {
    const { machines } = this.#options;
    const told = world.group?.status?.machines;
    const runs = told?.versions?.find((one) => one.version === version)?.machines;
    return (
      allRest(world, this.#stack.machineNames, version) &&
      this.#machines?.allRest(version) === true &&
      told?.updating === 0 &&
      runs === machines
    );
  }

  /** Those that fell back are quarantined, all others are held by the halt. */
  #allSayWhy({ group, states }: World): boolean {
    const fellBack = this.#machines?.tried.fellBack.size ?? 0;
    const held = (reason: string) =>
      group?.status?.machines?.held?.find((one) => one.reason === reason)?.machines ?? 0;
    return (
      held('Quarantined') === fellBack &&
      held('Halted') === this.#options.machines - fellBack &&
      states.every(({ spec }) => spec?.update?.hold !== undefined)
    );
  }

  /** Runs one chapter and keeps what came of it. */
  async #measure(name: string, chapter: () => Promise<void>): Promise<OmahaChapter> {
    const { ledger } = this.#observer;
    ledger.reset();
    this.#machines?.reset();
    this.#halts.clear();
    this.#reasons.clear();
    const from = Date.now();
    await chapter();
    const tookMs = Date.now() - from;
    const facts = await this.#facts(name, tookMs);
    this.#chapters.push(facts);
    return facts;
  }

  async #facts(name: string, tookMs: number): Promise<OmahaChapter> {
    const [version = ''] = name.split(' ');
    const { states } = await this.#look();
    const { worst } = this.#observer.ledger;
    const tried = this.#machines?.tried;
    const runs = this.#machines?.population().versions[version] ?? 0;
    const left = states.filter(({ status }) => status?.quarantine?.some((one) => one.version === version));
    return {
      name,
      tookMs,
      budget: this.#options.budget,
      worst: worst.count,
      worstNodes: worst.nodes.filter((node) => this.#stack.machineNames.includes(node)).length,
      worstUnderWay: tried?.worstUnderWay ?? 0,
      updated: {
        nodes: byVersion(states.map(({ status }) => status?.os?.version))[version] ?? 0,
        machines: runs,
      },
      fellBack: { nodes: left.length, machines: tried?.fellBack.size ?? 0 },
      halts: this.#halts.size,
      checks: tried?.checks ?? 0,
      noUpdate: tried?.noUpdate ?? 0,
      reasons: Object.fromEntries(this.#reasons),
      unanswered: this.#machines?.unanswered() ?? {},
    };
  }

  async #look(): Promise<World> {
    const world = await readWorld(this.#stack.client, GROUP, 'app=none');
    const halted = haltedOf(world.group);
    if (halted !== undefined) this.#halts.add(halted.since);
    for (const { reason, machines } of world.group?.status?.machines?.held ?? [])
      this.#reasons.set(reason, Math.max(machines, this.#reasons.get(reason) ?? 0));
    this.#screen.show(renderOmaha(this.#scene(world), process.stdout.columns ?? 120));
    return world;
  }

  #scene(world: World): OmahaScene {
    const { ledger } = this.#observer;
    const { machineNames } = this.#stack;
    const machines = this.#machines?.population();
    return {
      chapter: this.#narrator.chapter,
      elapsedMs: this.#narrator.elapsedMs,
      populations: [
        nodesOf(world, machineNames, ledger.unavailable()),
        ...(machines === undefined ? [] : [machines]),
      ],
      budget: this.#options.budget,
      away: { now: ledger.unavailable().length, worst: ledger.worst.count },
      waiting: waiting(world),
      halted: haltedOf(world.group)?.reason,
    };
  }
}

function haltedOf(group: World['group']) {
  return group?.status?.rollout?.halted;
}

function waiting({ group, states }: World): string[] {
  return waitingLines(group, states);
}
