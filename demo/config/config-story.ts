import { readTraffic } from '#test/observer/audit.ts';
import { Observer } from '#test/observer/observer.ts';
import type { Stack } from '#test/stack/stack.ts';
import { showIdle } from '../idle.ts';
import { Narrator } from '../narrator.ts';
import type { Screen } from '../screen.ts';
import { StoryError, type Story } from '../story.ts';
import { cutOffConfig, exampleConfig, exampleSecret } from './examples.ts';
import { renderConfig } from './render.ts';
import { reportChapters, type ConfigChapter } from './report.ts';
import { configLines, configuredMachines, type ConfigScene } from './scene.ts';
import { sumOfWrites, writesOf, type Writes } from './writes.ts';
import { allConfigured, isRolledOut, readConfigWorld, type ConfigWorld } from './world.ts';

const BASE = 'base';
const MOTD = '/etc/motd';
const TOKEN = '/etc/example/token';

/** Sysctl, unit, secret file and sshd drop-in on all nodes; drift; a change that cuts a node off; a new secret. */
export class ConfigStory implements Story {
  readonly shows = 'nodeconfigs,renderedconfigs,nodestates';
  readonly #stack: Stack;
  readonly #screen: Screen;
  readonly #observer: Observer;
  readonly #narrator: Narrator<ConfigWorld>;
  readonly #chapters: ConfigChapter[] = [];

  constructor(stack: Stack, screen: Screen) {
    this.#stack = stack;
    this.#screen = screen;
    this.#observer = new Observer(stack.cluster, ({ metadata }) =>
      stack.machineNames.includes(metadata.name),
    );
    const sight = { look: () => this.#look(), reasons };
    this.#narrator = new Narrator(screen, sight, stack.patienceMs);
  }

  report(): string[] {
    return reportChapters(this.#chapters);
  }

  async tell(): Promise<void> {
    this.#observer.start();
    try {
      await this.#join();
      const boots = this.#boots();
      await this.#configure();
      await this.#heal();
      await this.#cutOff();
      await this.#rotate();
      if (this.#boots() !== boots) throw new StoryError('a node was rebooted, and nothing asked for that');
      this.#narrator.say('none was rebooted in all that');
      const writesIn = async (from: number, to: number) => sumOfWrites(await this.#writes(from, to));
      await showIdle(this.#narrator, this.#stack, writesIn);
    } finally {
      this.#observer.stop();
    }
  }

  async #join(): Promise<void> {
    const { machineNames } = this.#stack;
    this.#narrator.begin(`${machineNames.length} machines join, and nothing configures them`);
    await this.#narrator.until('every agent has said what its node can take', ({ states }) =>
      machineNames.every((name) =>
        states.some(({ metadata, status }) => metadata.name === name && status?.config !== undefined),
      ),
    );
  }

  async #configure(): Promise<void> {
    const { machineNames } = this.#stack;
    await this.#measure('configured, one node first', machineNames.length, async () => {
      this.#narrator.begin(
        'a NodeConfig is applied: a kernel setting, a unit, a secret file, a drop-in of sshd',
      );
      await this.#stack.apply([await exampleSecret(), await exampleConfig()]);
      await this.#narrator.until('every node has it', (world) => this.#rests(world));
      await this.#everywhere(['cat', '/proc/sys/net/ipv4/tcp_keepalive_time'], '300\n');
      await this.#everywhere(['systemctl', 'is-active', 'example-uptime.service'], 'active\n');
      await this.#everywhere(['stat', '--format=%a %U', TOKEN], '600 root\n');
      await this.#everywhere(['cat', TOKEN], 'change-me');
      this.#narrator.say('  ✓ the kernel, systemd and the files of every machine say so');
    });
  }

  async #heal(): Promise<void> {
    const [name = ''] = this.#stack.machineNames;
    await this.#measure('changed by hand, and healed', 1, async () => {
      this.#narrator.begin(`somebody writes over ${MOTD} on ${name}`);
      const before = await this.#on(name, ['cat', MOTD]);
      await this.#on(name, ['/bin/sh', '-c', `echo hello > ${MOTD}`]);
      await this.#says('it says again what its NodeConfig says', name, ['cat', MOTD], before);
    });
  }

  async #cutOff(): Promise<void> {
    const worst = await this.#measure('cuts its node off, and is undone', 1, async () => {
      this.#narrator.begin('a change takes the network away from the node that tries it first');
      await this.#stack.apply([await cutOffConfig()]);
      await this.#narrator.until(
        'the node has undone it by itself, and the rollout has halted',
        ({ configs, states }) =>
          configs[0]?.status?.rollout?.halted !== undefined &&
          states.some(({ status }) => status?.config?.phase === 'Reverted'),
      );
      await this.#narrator.until('every node is Ready', ({ nodes }) =>
        nodes.every(({ status }) =>
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
        ),
      );
      const { configs } = await this.#look();
      this.#narrator.say(`halted: ${configs[0]?.status?.rollout?.halted?.reason ?? ''}`);
    });
    if (worst > 1) throw new StoryError(`${worst} nodes were cut off; the first wave has one`);
  }

  async #rotate(): Promise<void> {
    const { machineNames } = this.#stack;
    await this.#measure('corrected, with a new secret', machineNames.length, async () => {
      this.#narrator.begin('the NodeConfig is corrected, and the secret gets a new value');
      await this.#stack.apply([await exampleSecret('changed'), await exampleConfig()]);
      await this.#narrator.until('every node has it', (world) => this.#rests(world));
      for (const name of machineNames)
        await this.#says(`${name} has the new secret`, name, ['cat', TOKEN], 'changed');
      await this.#everywhere(['systemctl', 'is-active', 'example-cut-off.service'], 'inactive\n');
      await this.#narrator.until('all rest', (world) => this.#rests(world));
    });
  }

  #rests(world: ConfigWorld): boolean {
    return allConfigured(world, this.#stack.machineNames) && isRolledOut(world, BASE);
  }

  async #on(name: string, argv: readonly string[]): Promise<string> {
    const said = await this.#stack.ground.run(name, argv);
    if (said === undefined) throw new StoryError(`${name} is not up`);
    return said;
  }

  async #everywhere(argv: readonly string[], expected: string): Promise<void> {
    for (const name of this.#stack.machineNames) {
      const said = await this.#on(name, argv);
      if (said !== expected)
        throw new StoryError(`${name}: "${argv.join(' ')}" prints ${JSON.stringify(said)}`);
    }
  }

  /** Waits until the program prints what is expected, on the machine itself. */
  async #says(what: string, name: string, argv: readonly string[], expected: string): Promise<void> {
    let said = await this.#on(name, argv);
    await this.#narrator.until(what, () => {
      void this.#on(name, argv).then(
        (now) => (said = now),
        () => undefined,
      );
      return said === expected;
    });
  }

  /** Runs one chapter and keeps what came of it; the most nodes that were unavailable at once. */
  async #measure(name: string, nodes: number, chapter: () => Promise<void>): Promise<number> {
    const { ledger } = this.#observer;
    ledger.reset();
    const from = Date.now();
    await chapter();
    const to = Date.now();
    await this.#stack.settle();
    const worst = ledger.worst.count;
    this.#chapters.push({ name, nodes, tookMs: to - from, worst, writes: await this.#writes(from, to) });
    return worst;
  }

  async #writes(from: number, to: number): Promise<Writes> {
    return writesOf(await readTraffic(this.#stack.cluster.auditLog, from, to));
  }

  #boots(): string {
    return JSON.stringify([...this.#stack.power()].map(([name, { boots }]) => [name, boots]));
  }

  async #look(): Promise<ConfigWorld> {
    const world = await readConfigWorld(this.#stack.client);
    this.#screen.show(renderConfig(this.#scene(world), process.stdout.columns ?? 120));
    return world;
  }

  #scene(world: ConfigWorld): ConfigScene {
    const { ledger } = this.#observer;
    return {
      chapter: this.#narrator.chapter,
      elapsedMs: this.#narrator.elapsedMs,
      machines: configuredMachines(world, this.#stack.machineNames),
      configs: configLines(world),
      unavailable: { now: ledger.unavailable().length, worst: ledger.worst.count },
    };
  }
}

function reasons(world: ConfigWorld): string[] {
  const names = world.states.map(({ metadata }) => metadata.name);
  return configuredMachines(world, names).map(({ name, phase, why }) => `${name}: ${phase} ${why}`);
}
