import { OpenTransaction } from './open-transaction.ts';
import type { Recovery } from './contract.ts';
import type { Begin, JournalRecord } from '../journal/record.ts';
import type { Verdict } from '../journal/journal-file.ts';
import type { Workplace } from './workplace.ts';

/**
 * Brings the disk from wherever a killed agent left it to all old or all new. What is decided is carried out; what
 * had begun to take its place is finished, since all of it lies ready; what had not is taken back.
 */
export async function recover(place: Workplace): Promise<Recovery> {
  await place.store.open();
  const found = await place.journal.read();
  const begin = found?.records[0];
  if (found === undefined || begin?.record !== 'begin') {
    // A journal whose first record is torn: nothing is staged before that record is whole.
    await place.journal.remove();
    await place.store.dropNext();
    return {};
  }
  return { ...(await goOn(place, found.verdict, begin, found.records)) };
}

async function goOn(
  place: Workplace,
  verdict: Verdict,
  begin: Begin,
  records: readonly JournalRecord[],
): Promise<Recovery> {
  const has = (record: JournalRecord['record']) => records.some((one) => one.record === record);
  if (verdict === 'kept') {
    await new OpenTransaction(place, begin, 'Switched', records).finishKeeping();
    return {};
  }
  if (verdict === 'reverted') return goBack(place, begin, records);
  const transaction = new OpenTransaction(place, begin, has('switched') ? 'Switched' : 'Staged', records);
  if (!has('switching') || !(has('switched') || (await completed(transaction)))) {
    return takeBack(transaction);
  }
  return begin.purpose === 'Heal' ? kept(transaction) : { transaction };
}

/** False if what was staged is not at hand any more: everything is old again then. */
async function completed(transaction: OpenTransaction): Promise<boolean> {
  try {
    await transaction.complete();
    return true;
  } catch {
    return false;
  }
}

async function kept(transaction: OpenTransaction): Promise<Recovery> {
  await transaction.keep();
  return {};
}

async function takeBack(transaction: OpenTransaction): Promise<Recovery> {
  await transaction.revert();
  await transaction.close();
  return { rolledBack: { id: transaction.id, meta: transaction.meta } };
}

async function goBack(place: Workplace, begin: Begin, records: readonly JournalRecord[]): Promise<Recovery> {
  const transaction = new OpenTransaction(place, begin, 'Reverted', records);
  const switched = records.some(({ record }) => record === 'switched');
  transaction.undoneByHost = await place.journal.wasUndoneByHost();
  await transaction.revert();
  // Nothing had run with the new files that would have to run again.
  if (begin.purpose === 'Heal' || !switched) return takeBack(transaction);
  return { transaction };
}
