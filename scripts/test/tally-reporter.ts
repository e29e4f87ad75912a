import path from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { noTests, type Tally } from './tally.ts';

/** A reporter for `node:test` that writes one Tally as JSON at the end. */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter's default export
export default async function* tallyReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally: Tally = structuredClone(noTests);
  for await (const event of events) {
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      tally.failures.push(`${path.relative('', event.data.file ?? '')}: ${event.data.name}`);
    }
    if (event.type !== 'test:summary') continue;
    const { file, duration_ms: ms, counts } = event.data;
    if (file !== undefined) tally.files.push({ file: path.relative('', file), ms });
    else {
      const { tests, passed, skipped, todo } = counts;
      Object.assign(tally, { passed, skipped: skipped + todo, failed: tests - passed - skipped - todo });
    }
  }
  yield JSON.stringify(tally);
}
