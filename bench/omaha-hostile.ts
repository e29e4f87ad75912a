import { Pool } from 'undici';
import { hostileBodies } from '#operators/update/omaha/testing/hostile-bodies.ts';
import { app, CHECK, PING, previous, request } from '#operators/update/omaha/testing/sample-requests.ts';
import { Served } from '#operators/update/omaha/testing/served.ts';

/**
 * Posts 100 000 hostile bodies to the Omaha endpoint, with a good request among every thousand. Fails when the
 * endpoint answers one of them with 5xx, does not answer a good one, or has grown by more than 100 MiB since the first fifth,
 * after which client, server and store are warm.
 */
const BODIES = 100_000;
const AT_ONCE = 16;
const MOST_GROWTH = 100 * 2 ** 20;

const good = request(app(PING + CHECK + previous('')));
const served = await Served.start();
const pool = new Pool(served.url, { connections: AT_ONCE });
const statuses = new Map<number, number>();
const bodies = hostileBodies(BODIES);
let sent = 0;

async function post(body: string | Buffer): Promise<number> {
  const response = await pool.request({ method: 'POST', path: '/v1/update/', body });
  await response.body.dump();
  return response.statusCode;
}

async function attack(): Promise<void> {
  for (const body of bodies) {
    const status = await post(body);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    sent += 1;
    if (sent === BODIES / 5) before = process.memoryUsage.rss();
    if (sent % 1000 === 0 && (await post(good)) !== 200) throw new Error('a good request was not answered');
  }
}

let before = process.memoryUsage.rss();
const started = performance.now();
await Promise.all(Array.from({ length: AT_ONCE }, attack));
const seconds = (performance.now() - started) / 1000;
const growth = process.memoryUsage.rss() - before;
const told = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
console.log(
  `${sent} hostile bodies in ${seconds.toFixed(1)} s (${told}); memory grew by ${Math.round(growth / 2 ** 20)} MiB`,
);
await pool.close();
await served.stop();
const failed = [...statuses.keys()].filter((status) => status >= 500);
if (failed.length > 0 || sent !== BODIES || growth > MOST_GROWTH) process.exitCode = 1;
