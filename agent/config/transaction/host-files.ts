import type { ConfigDocument } from '#api/config-document.ts';
import type { Log } from '#runtime/log/log.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import type { Begin } from '../journal/record.ts';
import type { Change } from '../plan/change.ts';
import type { Owned } from '../plan/owned.ts';
import type { FilePlan } from '../plan/plan-files.ts';
import { planDocument } from '../plan/plan-document.ts';
import type { Applied, FileTransactions, PrepareOptions, Recovery, Transaction } from './contract.ts';
import { collectLeftovers } from './collect-leftovers.ts';
import { FileChanges } from './file-changes.ts';
import { keepPreimages } from './keep-preimages.ts';
import { OpenTransaction } from './open-transaction.ts';
import { preflight } from './preflight.ts';
import { recover } from './recover.ts';
import { newId } from './temp-names.ts';
import { Workplace } from './workplace.ts';
import type { HostFilesOptions } from './workplace.ts';

/** The files of a host, through its root directory and the agent's state directory. */
export class HostFiles implements FileTransactions {
  readonly #place: Workplace;
  #healing: Promise<unknown> = Promise.resolve();
  #preparing = false;

  constructor(options: HostFilesOptions) {
    this.#place = new Workplace(options);
  }

  recover(): Promise<Recovery> {
    return recover(this.#place);
  }

  async applied(): Promise<Applied> {
    const { store } = this.#place;
    return { ...(await store.read()), document: await store.document() };
  }

  async plan(document: ConfigDocument): Promise<FilePlan> {
    const { owned, document: previous } = await this.applied();
    return planDocument(this.#place.tree, document, { owned, previous });
  }

  async prepare(options: PrepareOptions): Promise<Transaction> {
    this.#preparing = true;
    try {
      await this.#healing;
      return await this.#prepare('Apply', options);
    } finally {
      this.#preparing = false;
    }
  }

  /**
   * Makes the paths of the document in force as they should be again, and nothing else. False if a transaction is
   * under way, which comes first.
   */
  heal(paths: ReadonlySet<string>): Promise<boolean> {
    const healed = this.#healing.then(() => this.#heal(paths));
    this.#healing = healed.catch(() => undefined);
    return healed;
  }

  /** Removes what agents left that lost their journal. Nothing while a transaction is under way. */
  tidy(log: Pick<Log, 'warn'>): Promise<void> {
    const tidied = this.#healing.then(() => this.#tidy(log));
    this.#healing = tidied.catch(() => undefined);
    return tidied;
  }

  async #tidy(log: Pick<Log, 'warn'>): Promise<void> {
    if (this.#preparing || (await this.#isBusy())) return;
    await collectLeftovers(this.#place.tree, (await this.applied()).owned, log);
  }

  async #heal(paths: ReadonlySet<string>): Promise<boolean> {
    const { meta = {}, document, owned } = await this.applied();
    if (this.#preparing || document === undefined || (await this.#isBusy())) return false;
    const basis = { owned, previous: document, only: paths };
    const plan = healingPlan(await planDocument(this.#place.tree, document, basis), owned, paths);
    if (plan.changes.length === 0) return true;
    const transaction = await this.#prepare('Heal', { document, meta, plan });
    await transaction.switch();
    return transaction.keep();
  }

  async #isBusy(): Promise<boolean> {
    return (await this.#place.journal.read()) !== undefined;
  }

  async #prepare(purpose: Begin['purpose'], { document, plan, meta }: PrepareOptions) {
    const { journal, store, tree, directory } = this.#place;
    if (await this.#isBusy())
      throw new ConfigError('Internal', 'another change of this host’s files is under way: end it first');
    const { changes, owned } = plan;
    const begin: Begin = {
      record: 'begin',
      id: newId(),
      purpose,
      meta,
      changes: [...changes],
      owned: [...owned],
    };
    try {
      await store.open();
      await preflight(tree, directory, changes);
      await store.claim();
      await store.writeNext(document);
      await journal.create(begin);
    } catch (error) {
      throw configErrorOf(error, 'writing to', directory);
    }
    return this.#stage(begin, plan);
  }

  async #stage(begin: Begin, plan: FilePlan): Promise<OpenTransaction> {
    const { journal, preimages, tree } = this.#place;
    const transaction = new OpenTransaction(this.#place, begin, 'Staged');
    const files = new FileChanges(tree, begin.id, begin.changes);
    try {
      await files.stage(async ({ path, after }) =>
        after.type === 'file' ? (plan.contents.get(path) ?? preimages.read(after.sha256, path)) : undefined,
      );
      await keepPreimages(this.#place, begin.owned);
      await journal.append('open', { record: 'staged' });
      return transaction;
    } catch (error) {
      await transaction.revert();
      await transaction.close();
      throw configErrorOf(error, 'writing to', this.#place.directory);
    }
  }
}

/** Of a plan, what concerns some paths, with directories that are missing on the way; all else stays as it is owned. */
function healingPlan(plan: FilePlan, owned: readonly Owned[], paths: ReadonlySet<string>): FilePlan {
  const healed = new Map(plan.owned.filter(({ path }) => paths.has(path)).map((item) => [item.path, item]));
  const isOnTheWay = ({ path, before }: Change) =>
    before.type === 'absent' && [...paths].some((other) => other.startsWith(`${path}/`));
  return {
    ...plan,
    changes: plan.changes.filter((change) => paths.has(change.path) || isOnTheWay(change)),
    owned: owned.map((item) => healed.get(item.path) ?? item),
  };
}
