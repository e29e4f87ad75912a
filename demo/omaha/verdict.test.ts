import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOmaha, type OmahaChapter } from './report.ts';
import { judge } from './verdict.ts';

const good: OmahaChapter = {
  name: '2.0.0',
  tookMs: 60_000,
  budget: 10,
  worst: 9,
  worstNodes: 2,
  worstUnderWay: 10,
  updated: { nodes: 5, machines: 200 },
  fellBack: { nodes: 0, machines: 0 },
  halts: 0,
  checks: 6000,
  noUpdate: 5800,
  reasons: { MaxStaging: 150, WaitingForWave: 198 },
  unanswered: {},
};
const broken: OmahaChapter = {
  ...good,
  name: '3.0.0 (broken)',
  updated: { nodes: 0, machines: 0 },
  fellBack: { nodes: 2, machines: 2 },
  halts: 1,
};
const all = { nodes: 5, machines: 200 };

test('a chapter that kept its promises passes', () => {
  judge(good, all);
  judge(broken, { ...all, canaries: 2 });
});

test('each broken promise is named', () => {
  const cases: [OmahaChapter, RegExp][] = [
    [{ ...good, worst: 11 }, /2\.0\.0: 11 were away at once, 10 may be/],
    [{ ...good, worstUnderWay: 11 }, /11 machines were under way/],
    [{ ...good, updated: { nodes: 5, machines: 199 } }, /199 machines were updated, not 5 and 200/],
    [{ ...good, fellBack: { nodes: 1, machines: 0 } }, /fell back from a good release/],
    [{ ...good, halts: 1 }, /a good release was halted/],
  ];
  for (const [chapter, words] of cases) assert.throws(() => judge(chapter, all), words);
  const worse: [OmahaChapter, RegExp][] = [
    [{ ...broken, halts: 0 }, /halted 0 times/],
    [{ ...broken, updated: { nodes: 1, machines: 0 } }, /some run the broken release/],
    [{ ...broken, fellBack: { nodes: 0, machines: 2 } }, /not both kinds/],
    [{ ...broken, fellBack: { nodes: 2, machines: 3 } }, /2 nodes and 3 machines booted it, 2 of each may/],
  ];
  for (const [chapter, words] of worse) assert.throws(() => judge(chapter, { ...all, canaries: 2 }), words);
});

test('the table tells checks a second, and why machines waited', () => {
  const text = reportOmaha([good, broken]).join('\n');
  assert.match(text, /most away at once \/ budget +9 \/ 10 +9 \/ 10/);
  assert.match(text, / {2}a second +100 +100/);
  assert.match(text, /why machines waited in 2\.0\.0, at most: WaitingForWave 198, MaxStaging 150/);
});
