import { Transform, type TransformCallback } from 'node:stream';
import type { Fault } from './fault.ts';

const EXPIRED = {
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: 'too old resource version (injected)',
    reason: 'Expired',
    code: 410,
  },
};

/** How many old events a repetition reaches back. */
const OLD = 3;

/** Passes the lines of a watch on, with a fault in them. Ends the stream where the fault ends it. */
export class FaultyEvents extends Transform {
  readonly #fault: Fault;
  #rest = '';
  /** Whole events still to pass. */
  #left: number;
  readonly #old: string[] = [];

  constructor(fault: Fault) {
    super();
    this.#fault = fault;
    this.#left = 'afterEvents' in fault ? (fault.afterEvents ?? 0) : 0;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
    callback();
  }

  #line(line: string): void {
    if (this.#left < 0) return;
    if (this.#fault.kind === 'duplicate-events') return this.#repeat(line);
    this.#left -= 1;
    if (this.#left >= 0) this.push(`${line}\n`);
    else this.#strike(line);
  }

  /** After this nothing more passes, but for `garble-watch`, which spoils one event only. */
  #strike(line: string): void {
    const { kind } = this.#fault;
    if (kind === 'truncate-watch') this.#end(line.slice(0, line.length / 2));
    if (kind === 'expire-watch') this.#end(`${JSON.stringify(EXPIRED)}\n`);
    if (kind === 'garble-watch') {
      this.push(`${line.slice(0, line.length / 2)}\n`);
      this.#left = Infinity;
    }
  }

  #end(last: string): void {
    this.push(last);
    this.push(null);
  }

  #repeat(line: string): void {
    this.push(`${line}\n${line}\n${this.#old.map((old) => `${old}\n`).join('')}`);
    this.#old.push(line);
    if (this.#old.length > OLD) this.#old.shift();
  }
}
