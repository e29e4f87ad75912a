import { medianOf, print, run } from './measure.ts';
import { HELD_SIZES, MACHINES, RUNS, type Subject } from './subject.ts';

const AN_HOUR = 3_600_000;
const CHECKS = 20_000;
const EVENTS = 5000;

/** Prints what each kind of request takes, as machines come to be `MACHINES`. */
export async function measureRequests(subject: Subject): Promise<void> {
  const first = await run(MACHINES, 64, (index) => subject.steady(index), subject.pid);
  print(`first contact of ${MACHINES} machines, 64 at once`, first);
  for (const together of [1, 16, 64]) await measureSteady(subject, together);
  for (const size of HELD_SIZES) await measureHeld(subject, size);
  const grants = await run(EVENTS * RUNS, 64, (index) => subject.begin(index), subject.pid);
  print('grants, 64 at once', grants);
  const events = await medianOf(RUNS, (turn) =>
    run(EVENTS, 64, (index) => subject.event(index + turn * EVENTS), subject.pid),
  );
  print('event posts, 64 at once', events);
}

async function measureSteady(subject: Subject, together: number): Promise<void> {
  const checks = together === 1 ? CHECKS / 10 : CHECKS;
  const steady = await medianOf(RUNS, async (turn) => {
    await subject.pass(AN_HOUR);
    const act = (index: number) => subject.steady(scattered(index + turn * checks, MACHINES));
    return run(checks, together, act, subject.pid);
  });
  print(`steady checks of ${MACHINES} machines, ${together} at once`, steady);
}

async function measureHeld(subject: Subject, size: number): Promise<void> {
  await run(size, 64, (index) => subject.held(size, index));
  const held = await medianOf(RUNS, async (turn) => {
    await subject.pass(AN_HOUR);
    const act = (index: number) => subject.held(size, scattered(index + turn * CHECKS, size));
    return run(CHECKS, 64, act, subject.pid);
  });
  print(`held checks of a group of ${size}, 64 at once`, held);
}

/** Visits all of `size` machines in an order that no cache likes. */
function scattered(index: number, size: number): number {
  return (index * 48_271) % size;
}
