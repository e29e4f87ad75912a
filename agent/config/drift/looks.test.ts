import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '#test/cluster/until.ts';
import { Looks } from './looks.ts';

test('it looks on start and after a hint, one look at a time, and not any more once it was stopped', async () => {
  let looks = 0;
  let under = 0;
  const looking = new Looks(async () => {
    under += 1;
    assert.equal(under, 1);
    await delay(5);
    under -= 1;
    looks += 1;
  });
  looking.hint();
  await Promise.all([looking.start(), looking.now(), looking.now()]);
  assert.equal(looks, 3);
  looking.hint();
  await until('a hint is followed', async () => looks === 4);
  await looking.stop();
  looking.hint();
  await looking.stop();
  assert.equal(looks, 4);
});

test('hints without end neither put off a look nor bring one each', async () => {
  let looks = 0;
  const looking = new Looks(async () => {
    looks += 1;
  });
  const began = performance.now();
  await looking.start();
  const hints = setInterval(() => looking.hint(), 5);
  try {
    await until('two more', async () => looks >= 3);
  } finally {
    clearInterval(hints);
  }
  await looking.stop();
  // Two rests lie between them, however slow this machine is.
  assert.ok(performance.now() - began >= 3900);
});
