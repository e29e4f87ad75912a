import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { compareVersions } from '#api/version.ts';
import { CourseOfMachines, type Answered, type Deed } from '../testing/course-of-machines.ts';
import { service, type GroupOptions } from '../testing/served.ts';
import type { Service } from './service.ts';

/** Whatever machines tell, in whatever order, and whatever the user changes meanwhile: no answer breaks a rule. */

const START = Date.parse('2026-01-01T00:00:00Z');
const MINUTE = 60_000;
const VERSIONS = ['1.0.0', '1.5.0', '2.0.0', '2.1.0', '3.0.0'];

type Rules = Pick<GroupOptions, 'update' | 'releases' | 'blocked' | 'rollout' | 'closed'>;

const CLOSED = { reason: 'OutsideHours', message: 'closed' } as const;
const canary = {
  nodes: 0,
  done: 0,
  name: 'canary',
  machines: 3,
  machinesDone: 0,
  upTo: '8000000000000000000000000000000000000000',
};

const rules: fc.Arbitrary<Rules> = fc
  .record({
    floors: fc.subarray(VERSIONS, { maxLength: 2 }),
    blocked: fc.subarray(VERSIONS, { maxLength: 2 }),
    known: fc.subarray(VERSIONS, { minLength: 1 }),
    allowDowngrade: fc.boolean(),
    paused: fc.constantFrom(false, false, true),
    maxStaging: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant('100%')),
    maxUpdates: fc.option(fc.record({ count: fc.integer({ min: 1, max: 3 }), period: fc.constant('30m') }), {
      nil: undefined,
    }),
    linear: fc.constantFrom(undefined, undefined, { duration: '1h' }),
    wave: fc.constantFrom(undefined, 'canary', 'rest'),
    failures: fc.integer({ min: 1, max: 4 }),
    limit: fc.integer({ min: 0, max: 2 }),
    closed: fc.constantFrom(undefined, undefined, CLOSED),
    /** Planned before the channel became as it is; undefined: after. */
    stale: fc.constantFrom(undefined, undefined, undefined, ...VERSIONS),
  })
  .map(({ floors, blocked, known, allowDowngrade, paused, maxStaging, ...more }) => {
    const { maxUpdates, linear, wave, failures, limit, closed, stale } = more;
    const target = stale === undefined ? {} : { target: stale };
    const waves = wave === undefined ? [] : [{ name: 'canary', size: '50%' }];
    const retry = { limit, backoff: '1m' };
    const paced = { ...(maxUpdates && { maxUpdates }), ...(linear && { linear }) };
    const rollout = { waves, maxStaging, haltOn: { failures }, retry, ...paced };
    return {
      update: { allowDowngrade, paused, rollout },
      releases: known.map((version) => ({ version, floor: floors.includes(version) })),
      blocked,
      rollout: wave === undefined ? target : { ...target, wave, waves: [canary] },
      closed,
    };
  });

const deed = fc.record({
  what: fc.constantFrom<Deed | 'time' | 'rules'>(
    ...(['check', 'check', 'go', 'go', 'go', 'go', 'fail', 'fall back', 'restart', 'time', 'rules'] as const),
  ),
  pick: fc.nat({ max: 1000 }),
});

const story = fc.record({
  running: fc.array(fc.constantFrom('0.9.0', '1.0.0', '1.0.0', '1.5.0', '3.0.0', '9.0.0'), {
    minLength: 1,
    maxLength: 8,
  }),
  rules: fc.array(rules, { minLength: 1, maxLength: 4 }),
  deeds: fc.array(deed, { maxLength: 80 }),
});

describe('a decision over a machine', () => {
  it('breaks no rule, whatever is told and whatever is changed', () => {
    fc.assert(
      fc.property(story, ({ running, rules: all, deeds }) => {
        const group = new CourseOfMachines(running);
        const judge = new Judge(group);
        let now = START;
        let options = all[0] ?? {};
        for (const { what, pick } of deeds) {
          if (what === 'time') now += (pick % 90) * MINUTE;
          else if (what === 'rules') options = all[pick % all.length] ?? {};
          else judge.see(serviceOf(options), group.act(serviceOf(options), pick, what, now));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('once it lets a machine in, lets it in at every later instant of the same rollout', () => {
    const given = fc.record({
      machine: fc.nat({ max: 100_000 }),
      hours: fc.integer({ min: 1, max: 240 }),
      first: fc.double({ min: -0.5, max: 2, noNaN: true }),
      later: fc.double({ min: 0, max: 2, noNaN: true }),
    });
    fc.assert(
      fc.property(given, ({ machine, hours, first, later }) => {
        const linear = { duration: `${hours}h` };
        const open = service({ update: { rollout: { linear } } });
        const at = (share: number) => START + Math.floor(share * hours * 60 * MINUTE);
        const isLetIn = (now: number) => checkOnce(open, machine, now).given !== undefined;
        const before = isLetIn(at(first));
        assert.ok(!before || isLetIn(at(first + later)), 'let in, and later not');
        assert.ok(isLetIn(at(1)), 'not let in when the rollout is over');
      }),
      { numRuns: 2000 },
    );
  });
});

/** The rules, reckoned from what was answered and from nothing that the decision says of itself. */
class Judge {
  readonly #group: CourseOfMachines;
  readonly #fellBack = new Set<string>();
  readonly #starts: number[] = [];

  constructor(group: CourseOfMachines) {
    this.#group = group;
  }

  see(rule: Service, answered: Answered | undefined): void {
    if (answered === undefined) return;
    const { id, after } = answered;
    for (const { version, kind } of after.failures)
      if (kind === 'rollback') this.#fellBack.add(`${id} ${version}`);
    if (answered.given === undefined) return this.#saysWhy(rule, answered);
    this.#mayHave(rule, answered, answered.given);
    if (answered.before?.grant?.version !== answered.given) this.#mayBegin(rule, answered);
  }

  #saysWhy({ rollout }: Service, { after, before, running }: Answered): void {
    const hasArrived = before?.grant !== undefined && compareVersions(running, before.grant.version) >= 0;
    if (hasArrived || running === rollout?.target) return;
    assert.ok(after.hold, `${after.id} on ${running} is told to wait, and nothing says why`);
    assert.notEqual(after.hold.message, '');
  }

  #mayHave({ channel, policy }: Service, { id, running }: Answered, given: string): void {
    assert.ok('releases' in channel, 'without a channel');
    assert.ok(!channel.blocked.has(given), `${given} is blocked`);
    const order = compareVersions(given, running);
    assert.ok(order > 0 || (order < 0 && policy.allowDowngrade), `${running} to ${given}`);
    const passed = channel.releases.filter(
      ({ version, floor }) =>
        floor && compareVersions(version, running) > 0 && compareVersions(version, given) < 0,
    );
    assert.deepEqual(passed, [], `from ${running} to ${given} past a floor`);
    assert.ok(!this.#fellBack.has(`${id} ${given}`), `${given} was left by ${id} before`);
  }

  #mayBegin({ policy, closed }: Service, { before, now }: Answered): void {
    assert.ok(!policy.paused, 'begins in a pause');
    assert.equal(closed, undefined, 'begins outside the hours');
    const { maxStaging, maxUpdates } = policy.rollout;
    const holders = [...this.#group.books.machines.values()].filter(
      ({ grant }) => grant !== undefined,
    ).length;
    const most = maxStaging === '100%' ? Infinity : Number(maxStaging);
    assert.ok(before?.grant !== undefined || holders <= most, `${holders} hold a place of ${most}`);
    this.#starts.push(now);
    const within = this.#starts.filter((at) => at > now - 30 * MINUTE).length;
    if (maxUpdates !== undefined) assert.ok(within <= maxUpdates.count, `${within} began within the period`);
  }
}

function serviceOf(options: Rules): Service {
  return service(options);
}

function checkOnce(open: Service, machine: number, now: number): Answered {
  const group = new CourseOfMachines(Array.from({ length: machine % 50 }, () => '1.0.0').concat('1.0.0'));
  const answered = group.act(open, machine % 50, 'check', now);
  assert.ok(answered !== undefined);
  return answered;
}
