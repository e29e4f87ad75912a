/*
 * A program with a cluster and one real node that a test kills. Prints a line of JSON once the node is Ready.
 */
import { startCluster } from '#test/cluster/cluster.ts';
import { createRealFleet } from './real-fleet.ts';

const [osImage = ''] = process.argv.slice(2);
const cluster = await startCluster();
const fleet = await createRealFleet({ cluster, count: 1, osImage, prefix: 'runner' });
fleet.powerOn();
await fleet.ready(300_000);
console.log(JSON.stringify({ directory: fleet.directory }));
