import type { Applied } from '../transaction/contract.ts';
import type { Difference } from './difference.ts';

/** Looks after one kind of what is in force. What rejects, is tried again at the next look. */
export interface Keeper {
  /** Asks to be told of changes by others from now on; whoever cannot be told is found by looking. */
  listen(applied: Applied): Promise<void>;
  /** Is told no more. */
  close(): void;
  /** What others have changed. */
  find(applied: Applied): Promise<Difference[]>;
  /** Makes one thing that was found as it should be; false: another time. Rejects with why it cannot be. */
  heal(path: string): Promise<boolean>;
}
