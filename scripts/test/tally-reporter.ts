import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import type { Tally } from './tally.ts';

/** A reporter for `node --test` that writes one Tally as JSON at the end. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter's default export
export default async function* tallyReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      tally.failures.push(`${path.relative('', event.data.file ?? '')}: ${event.data.name}`);
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { tests, passed, skipped, todo } = event.data.counts;
      Object.assign(tally, { passed, skipped: skipped + todo, failed: tests - passed - skipped - todo });
    }
  }
  yield JSON.stringify(tally);
}
