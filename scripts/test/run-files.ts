/**
 * Runs test files, each in a process of its own, in the order in which they are told: what takes longest can begin
 * first, so that no core waits for it in the end. (`node --test` sorts them by name.)
 */
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';
import tallyReporter from './tally-reporter.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    concurrency: { type: 'string', default: '2' },
    'timeout-ms': { type: 'string', default: '600000' },
    /** Where the Tally goes. */
    tally: { type: 'string', default: '/dev/null' },
  },
});

const events = run({
  files: positionals.map((file) => path.resolve(file)),
  concurrency: Number(values.concurrency),
  timeout: Number(values['timeout-ms']),
  execArgv: [`--import=${path.join(import.meta.dirname, 'seed-properties.ts')}`],
});
events.on('test:fail', () => {
  process.exitCode = 1;
});
events.compose(tallyReporter).pipe(createWriteStream(values.tally));
events.compose(spec).pipe(process.stdout);
