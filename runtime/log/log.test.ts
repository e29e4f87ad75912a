import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { KubeError } from '../client/error.ts';
import { createLogger } from './log.ts';

interface Line {
  message: string;
  logger: string;
  level: string;
  time: string;
  node?: string;
  error?: { name: string; message: string; code?: string; stack?: string; cause?: { message: string } };
}

function logged(write: (log: ReturnType<typeof createLogger>) => void): Line[] {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      lines.push(JSON.parse(chunk.toString()) as Line);
      callback();
    },
  });
  write(createLogger({ name: 'test', stream }));
  return lines;
}

describe('the log', () => {
  it('is one JSON object a line, with the fields of the child', () => {
    const [line] = logged((log) => log.child({ node: 'n1' }).info('granted', { budget: 2 }));
    assert.equal(line?.message, 'granted');
    assert.deepEqual([line?.logger, line?.level, line?.node], ['test', 'info', 'n1']);
    assert.ok(Date.parse(line?.time ?? '') > 0);
  });

  it('keeps name, message, code, stack and the causes of an error', () => {
    const cause = new Error('ECONNRESET');
    const [line] = logged((log) =>
      log.error('failed', { error: new KubeError('no', { code: 'Unreachable', cause }) }),
    );
    assert.equal(line?.message, 'failed');
    assert.deepEqual(
      [line?.error?.name, line?.error?.message, line?.error?.code],
      ['KubeError', 'no', 'Unreachable'],
    );
    assert.match(line?.error?.stack ?? '', /log\.test/);
    assert.equal(line?.error?.cause?.message, 'ECONNRESET');
  });

  it('ends a circle of causes', () => {
    const error = new Error('a');
    error.cause = error;
    assert.equal(logged((log) => log.error('failed', { error })).length, 1);
  });

  it('leaves out what is below its level', () => {
    assert.deepEqual(
      logged((log) => log.debug('detail')),
      [],
    );
  });
});
