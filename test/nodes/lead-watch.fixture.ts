import { resourcePath } from '#api/group.ts';
import type { RebootLock } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { LeaderLog } from '#test/observer/leader-log.ts';
import { TurnLog } from '#test/observer/turns.ts';
import { readLeaders } from '#test/stack/objects.ts';
import type { Sights } from './sights.fixture.ts';

const LOOK_EVERY_MS = 100;
const GROUP = 'workers';

/** Who led the reboot lock during a rollout, for how long nobody did, and in which order nodes went. */
export class LeadWatch {
  readonly log = new LeaderLog();
  /** Longest time without a renewal of the Lease. */
  longestMs = 0;
  readonly #client: KubeClient;
  readonly #sights: Sights;
  readonly #turns = new TurnLog();
  readonly #looking: NodeJS.Timeout;
  #busy = false;

  /** `sights` of nodes that all rest. */
  constructor(client: KubeClient, sights: Sights) {
    this.#client = client;
    this.#sights = sights;
    this.#looking = setInterval(() => void this.#lookOnce(), LOOK_EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
  }

  /** Nodes that waited while the leader's own went. */
  get overtaken(): string[] {
    return this.#turns.overtakenByLeader((at) => this.log.nodeAt(at));
  }

  /** One look at a time: of two answers the older one might come last. Nothing is seen without an API server. */
  async #lookOnce(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    await this.#look().catch(() => undefined);
    this.#busy = false;
  }

  async #look(): Promise<void> {
    const asked = Date.now();
    const leaders = await readLeaders(this.#client);
    const now = Date.now();
    const leader = leaders.find(({ operator }) => operator === 'careen-reboot-lock');
    this.log.see(now, leader?.pod, leader?.node);
    if (leader !== undefined) this.longestMs = Math.max(this.longestMs, asked - leader.renewedAt);
    for (const { name, moment } of this.#sights.all) if (moment === 'Staged') this.#turns.asks(name, now);
    this.#turns.see(await this.#client.get<RebootLock>(resourcePath('RebootLock', GROUP)));
  }
}
