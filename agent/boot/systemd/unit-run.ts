import type { Signal } from './connection.ts';
import { unitPath } from './manager.ts';

/** How a unit that ran once ended. */
export interface UnitEnd {
  /** Exit status of its program; undefined when it never ran or was killed. */
  status: number | undefined;
  /** systemd's word for it: success, exit-code, signal, timeout, … (systemd.service(5), Result). */
  result: string;
}

const EXITED = 1; // CLD_EXITED, siginfo_t(3)

/**
 * Follows one unit through the signals of its manager until its start job is over. systemd tells what became of
 * the program before it tells that the job is over.
 */
export class UnitRun {
  readonly #unit: string;
  readonly #path: string;
  readonly #properties: Record<string, unknown> = {};
  readonly #end = Promise.withResolvers<UnitEnd>();

  constructor(unit: string) {
    this.#unit = unit;
    this.#path = unitPath(unit);
  }

  get ended(): Promise<UnitEnd> {
    return this.#end.promise;
  }

  hear({ path, member, body }: Signal): void {
    if (member === 'PropertiesChanged' && path === this.#path) Object.assign(this.#properties, body[1]);
    if (member === 'JobRemoved' && body[2] === this.#unit) this.#end.resolve(this.#judge(String(body[3])));
  }

  /** `job` is done, failed, canceled, timeout, dependency or skipped. */
  #judge(job: string): UnitEnd {
    const { ExecMainCode: code, ExecMainStatus: status, Result: result } = this.#properties;
    if (job === 'done') return { status: 0, result: 'success' };
    const exited = code === EXITED && typeof status === 'number';
    return { status: exited ? status : undefined, result: typeof result === 'string' ? result : job };
  }
}
