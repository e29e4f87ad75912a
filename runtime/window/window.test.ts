import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { rebootWindowSpec } from '#api/reboot-window.ts';
import { forecast, openUntil } from './forecast.ts';
import { readWindow } from './named.ts';
import { compileWindow } from './window.ts';

const HOUR = 3_600_000;

function window(spec: object) {
  return compileWindow(rebootWindowSpec.parse({ nodeSelector: {}, ...spec }));
}

function openAt(spec: object, instant: string): boolean {
  return window(spec).at(Date.parse(instant)).open;
}

function iso(at: number): string {
  return new Date(at).toISOString().slice(0, 16);
}

function openings(spec: object, from: string): string[] {
  return forecast(window(spec), Date.parse(from)).openings.map((one) => `${iso(one.from)}/${iso(one.to)}`);
}

const BERLIN = { timeZone: 'Europe/Berlin' };

test('the weekday is that of the opening: Fri 22:00 for 4h covers Sat 01:00 and not Fri 01:00', () => {
  const spec = { allow: [{ start: 'Fri 22:00', duration: '4h', ...BERLIN }] };
  assert.equal(openAt(spec, '2026-11-21T00:00:00Z'), true);
  assert.equal(openAt(spec, '2026-11-20T00:00:00Z'), false);
  assert.equal(openAt(spec, '2026-11-21T01:00:00Z'), false, 'closed at the last instant');
});

test('a start that does not exist opens at the first instant after the gap, for its whole duration', () => {
  const spec = { allow: [{ schedule: '30 2 * * *', duration: '1h', ...BERLIN }] };
  assert.deepEqual(openings(spec, '2027-03-27T12:00:00Z').slice(0, 2), [
    '2027-03-28T01:00/2027-03-28T02:00',
    '2027-03-29T00:30/2027-03-29T01:30',
  ]);
});

test('a start that occurs twice opens once, at its first occurrence', () => {
  const spec = { allow: [{ schedule: '30 2 * * *', duration: '20m', ...BERLIN }] };
  assert.deepEqual(openings(spec, '2027-10-30T12:00:00Z').slice(0, 2), [
    '2027-10-31T00:30/2027-10-31T00:50',
    '2027-11-01T01:30/2027-11-01T01:50',
  ]);
});

test('while the clock shows an hour for the second time, what opened in the first is still open', () => {
  const spec = { allow: [{ schedule: '30 2 * * *', duration: '1h', ...BERLIN }] };
  assert.equal(openAt(spec, '2027-10-31T01:10:00Z'), true, '02:10, the second time');
  assert.equal(openAt(spec, '2027-10-31T01:30:00Z'), false, '02:30, the second time');
});

test('duration is elapsed time across a change of the clocks', () => {
  const spec = { allow: [{ start: 'Sun 00:00', duration: '6h', ...BERLIN }] };
  assert.deepEqual(openings(spec, '2027-03-27T12:00:00Z')[0], '2027-03-27T23:00/2027-03-28T05:00');
});

test('a monthly window is found however long ago it opened last', () => {
  const spec = { allow: [{ schedule: '0 4 * * 6#1', duration: '168h' }] };
  assert.deepEqual(openings(spec, '2026-11-01T00:00:00Z').slice(0, 2), [
    '2026-11-07T04:00/2026-11-14T04:00',
    '2026-12-05T04:00/2026-12-12T04:00',
  ]);
  assert.equal(openAt(spec, '2026-11-14T03:59:59Z'), true);
});

test('a deny span wins over every allow span and gives its reason', () => {
  const spec = window({
    allow: [{ start: '00:00', duration: '24h' }],
    deny: [{ from: '2026-12-20T00:00:00Z', to: '2027-01-03T00:00:00Z', reason: 'holidays' }],
  });
  const state = spec.at(Date.parse('2026-12-24T12:00:00Z'));
  assert.deepEqual([state.open, state.denied], [false, 'holidays']);
  assert.equal(
    forecast(spec, Date.parse('2026-12-24T12:00:00Z')).nextOpen,
    Date.parse('2027-01-03T00:00:00Z'),
  );
});

test('a window with only deny spans is open otherwise', () => {
  const spec = { deny: [{ from: '2026-12-20T00:00:00Z', to: '2027-01-03T00:00:00Z' }] };
  assert.equal(openAt(spec, '2026-12-19T23:59:59.999Z'), true);
  assert.equal(openAt(spec, '2026-12-20T00:00:00Z'), false);
  assert.equal(openAt(spec, '2027-01-03T00:00:00Z'), true);
});

test('one second before the start it is closed', () => {
  const spec = { allow: [{ start: 'Thu 23:00', duration: '1h' }] };
  assert.equal(openAt(spec, '2026-11-19T22:59:59Z'), false);
  assert.equal(openAt(spec, '2026-11-19T23:00:00Z'), true);
});

test('spans that touch count as one opening, and one that never closes has no close', () => {
  const spec = {
    allow: [
      { start: '01:00', duration: '1h' },
      { start: '02:00', duration: '1h' },
    ],
  };
  assert.equal(openings(spec, '2026-11-20T00:00:00Z')[0], '2026-11-20T01:00/2026-11-20T03:00');
  const endless = forecast(
    window({ allow: [{ schedule: '*/5 * * * *', duration: '5m' }] }),
    Date.parse('2026-11-20T00:01:00Z'),
  );
  assert.deepEqual([endless.open, endless.nextClose], [true, undefined]);
});

test('openUntil looks no further than its horizon', () => {
  const now = Date.parse('2026-11-20T01:30:00Z');
  const spec = window({ allow: [{ start: '01:00', duration: '1h' }] });
  assert.equal(openUntil(spec, now, now + 5 * 60_000), now + 5 * 60_000);
  assert.equal(openUntil(spec, now, now + 5 * HOUR), Date.parse('2026-11-20T02:00:00Z'));
});

for (const [what, span] of Object.entries({
  'an unknown zone': { start: '01:00', duration: '24h', timeZone: 'Europe/Berlim' },
  'a wrong cron expression': { schedule: '99 * * * *', duration: '24h' },
  'six cron fields': { schedule: '0 0 4 * * 1', duration: '24h' },
  'a duration of nothing': { start: '01:00', duration: '0s' },
  'a duration above 168h': { start: '01:00', duration: '169h' },
})) {
  test(`${what} is closed, with a message`, () => {
    for (const spec of [
      { allow: [span] },
      { deny: [span] },
      { allow: [{ start: '00:00', duration: '24h' }, span] },
    ]) {
      const result = window(spec);
      assert.equal(result.at(Date.now()).open, false);
      assert.match(result.invalid ?? '', /./);
    }
  });
}

test('a spec that the schema refuses is closed for every node', () => {
  const metadata = { name: 'w' };
  const object = {
    apiVersion: '',
    kind: 'RebootWindow' as const,
    metadata,
    spec: { allow: 'never' } as never,
  };
  const { nodeSelector, window } = readWindow(object);
  assert.deepEqual(nodeSelector, {});
  assert.equal(window.at(0).open, false);
});

test('at the very instant at which clocks are set back, a span that began before goes on', () => {
  const around = Date.parse('2027-04-04T03:00:00Z');
  const allow = [{ schedule: '56 23 * * *', duration: '15m', timeZone: 'America/Santiago' }];
  for (const at of [around - 1, around, around + 1]) {
    assert.equal(window({ allow }).at(at).open, true, new Date(at).toISOString());
  }
  const { until } = window({ allow: [{ ...allow[0], schedule: '7 23 * * *' }] }).at(around) as {
    until: number;
  };
  assert(until > around);
});

// The model: walk through every minute around a change of the clocks and note each wall minute when the zone's
// clock reaches or passes it for the first time. No cron library and no disambiguation takes part.

const MINUTE = 60_000;
const CHANGES = [
  ['Europe/Berlin', '2027-03-28T01:00:00Z'],
  ['Europe/Berlin', '2027-10-31T01:00:00Z'],
  ['America/New_York', '2027-03-14T07:00:00Z'],
  ['America/New_York', '2027-11-07T06:00:00Z'],
  ['Australia/Lord_Howe', '2027-04-03T15:00:00Z'],
  ['Australia/Lord_Howe', '2027-10-02T15:30:00Z'],
  ['America/Santiago', '2027-09-05T04:00:00Z'],
  ['America/Santiago', '2027-04-04T03:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Asia/Kathmandu', '2027-01-01T00:00:00Z'],
] as const;

interface Reached {
  at: number;
  wall: Date;
}

const timelines = new Map<string, Reached[]>();

function timeline(zone: string, around: number): Reached[] {
  const key = `${zone} ${around}`;
  const known = timelines.get(key);
  if (known !== undefined) return known;
  const reached: Reached[] = [];
  let last: number | undefined;
  for (let at = around - 9 * 24 * HOUR; at < around + 3 * 24 * HOUR; at += MINUTE) {
    const time = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
    const wall = at + time.offsetNanoseconds / 1e6;
    for (let next = (last ?? wall - MINUTE) + MINUTE; next <= wall; next += MINUTE) {
      reached.push({ at, wall: new Date(next) });
    }
    last = Math.max(last ?? wall, wall);
  }
  timelines.set(key, reached);
  return reached;
}

const schedule = fc.record({
  minute: fc.constantFrom(0, 1, 15, 29, 30, 59),
  hour: fc.integer({ min: 0, max: 23 }),
  day: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  every: fc.option(fc.constantFrom(7, 15, 30), { nil: undefined }),
  hours: fc.constantFrom(0.25, 1, 4, 25, 100, 168),
});

/** Minutes from the change of the clocks; half of them within the hours that it touches. */
const minuteNearChange = fc.oneof(
  fc.integer({ min: -120, max: 180 }),
  fc.integer({ min: -24 * 60, max: 48 * 60 }),
);

test('agrees with a minute-by-minute model at every edge of daylight saving in many zones', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CHANGES),
      fc.array(schedule, { minLength: 1, maxLength: 3 }),
      fc.array(schedule, { maxLength: 2 }),
      fc.array(minuteNearChange, { minLength: 20, maxLength: 20 }),
      ([zone, change], allow, deny, minutes) => {
        const around = Date.parse(change);
        const reached = timeline(zone, around);
        const spans = (plans: readonly Plan[]) =>
          plans.flatMap((plan) => {
            const starts = reached.filter(({ wall }) => fires(plan, wall));
            return starts.map(({ at }) => [at, at + plan.hours * HOUR] as const);
          });
        const [allowed, denied] = [spans(allow), spans(deny)];
        const spec = window({ allow: allow.map((p) => span(p, zone)), deny: deny.map((p) => span(p, zone)) });
        for (const offset of minutes) {
          const at = around + offset * MINUTE;
          const within = ([from, to]: readonly [number, number]) => from <= at && at < to;
          const expected = allowed.some(within) && !denied.some(within);
          assert.equal(spec.at(at).open, expected, `${zone} ${new Date(at).toISOString()}`);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('nothing changes before the edge that is announced', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...CHANGES),
      schedule,
      fc.integer({ min: -2000, max: 2000 }),
      ([zone, change], plan, offset) => {
        const spec = window({ allow: [span(plan, zone)] });
        const at = Date.parse(change) + offset * MINUTE;
        const { open, until } = spec.at(at);
        if (until === undefined) return;
        assert(until > at);
        for (const part of [0.1, 0.5, 0.9])
          assert.equal(spec.at(Math.floor(at + (until - at) * part)).open, open);
        assert.equal(spec.at(until - 1).open, open);
      },
    ),
    { numRuns: 1000 },
  );
});

type Plan = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

function span({ minute, hour, day, every, hours }: Plan, timeZone: string) {
  const expression =
    every === undefined ? `${minute} ${hour} * * ${day ?? '*'}` : `*/${every} ${hour} * * ${day ?? '*'}`;
  return { schedule: expression, duration: `${hours * 60}m`, timeZone };
}

function fires({ minute, hour, day, every }: Plan, wall: Date): boolean {
  const minuteFits =
    every === undefined ? wall.getUTCMinutes() === minute : wall.getUTCMinutes() % every === 0;
  return minuteFits && wall.getUTCHours() === hour && (day === undefined || wall.getUTCDay() === day);
}
