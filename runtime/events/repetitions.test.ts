import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Repetitions } from './repetitions.ts';

describe('repetitions', () => {
  it('are told again after an hour', () => {
    const repetitions = new Repetitions();
    const told = [0, 1000, 3_599_999, 3_600_000, 3_600_001].map((now) => repetitions.isFirst('a', now));
    assert.deepEqual(told, [true, false, false, true, false]);
  });

  it('are forgotten, the oldest first, before memory runs out', () => {
    const repetitions = new Repetitions();
    for (let i = 0; i < 5000; i += 1) repetitions.isFirst(`key ${i}`, i);
    assert.equal(repetitions.isFirst('key 4999', 5000), false);
    assert.equal(repetitions.isFirst('key 0', 5000), true);
  });
});
