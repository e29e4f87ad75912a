import { setTimeout as sleep } from 'node:timers/promises';
import type { Screen } from './screen.ts';
import { StoryError } from './story.ts';

const LOOK_EVERY_MS = 250;

/** How one look at the world is taken, and what of it explains that nothing happens. */
export interface Sight<World> {
  look(): Promise<World>;
  /** Why things do not move, for the one who has waited in vain: `name: why`. */
  reasons(world: World): string[];
}

/** Tells a story chapter by chapter and waits for what it promises. */
export class Narrator<World> {
  chapter = '';
  readonly #screen: Screen;
  readonly #sight: Sight<World>;
  readonly #patienceMs: number;
  readonly #began = Date.now();

  constructor(screen: Screen, sight: Sight<World>, patienceMs: number) {
    this.#screen = screen;
    this.#sight = sight;
    this.#patienceMs = patienceMs;
  }

  /** Since the story began. */
  get elapsedMs(): number {
    return Date.now() - this.#began;
  }

  begin(chapter: string): void {
    this.chapter = chapter;
    this.say(chapter);
  }

  say(line: string): void {
    this.#screen.say(line);
  }

  /** Looks until it holds, and says so. @throws StoryError with all reasons when patience ends */
  async until(what: string, holds: (world: World) => boolean): Promise<void> {
    const deadline = Date.now() + this.#patienceMs;
    for (;;) {
      const world = await this.#sight.look();
      if (holds(world)) break;
      if (Date.now() > deadline) throw new StoryError(this.#inVain(what, world));
      await sleep(LOOK_EVERY_MS);
    }
    this.say(`  ✓ ${what}`);
  }

  #inVain(what: string, world: World): string {
    const reasons = this.#sight.reasons(world).map((reason) => `;\n  ${reason}`);
    return `waited ${this.#patienceMs / 1000} s in vain until ${what}${reasons.join('')}`;
  }
}
