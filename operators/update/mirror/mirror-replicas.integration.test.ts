import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { API_VERSION, resourcePath } from '#api/group.ts';
import type { UpdateChannel } from '#api/kinds.ts';
import { KubeClient } from '#runtime/client/client.ts';
import type { Lease } from '#runtime/leader/lease.ts';
import type { Cluster } from '#test/cluster/cluster.ts';
import type { GuardedProcess } from '#test/cluster/guardian.ts';
import { freePort } from '#test/cluster/port.ts';
import { until } from '#test/cluster/until.ts';
import { startPayloadServer, type PayloadServer } from '#test/machine/payload-server.ts';
import type { WantedRelease } from './plan/wanted.ts';
import { BucketGround } from './store/bucket/testing/bucket-ground.ts';
import { findBucketServer } from './store/bucket/testing/bucket-server.ts';
import { LEAST_PART } from './store/bucket/testing/new-bucket.ts';
import { ReleaseMaker } from './testing/releases.ts';
import { LONG_LEASE, startOperator } from '#operators/testing/replicas.ts';
import { startServing } from '#operators/testing/serving.ts';

/** Two real mirrors on a real API server, with one bucket. */

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/default/leases/careen-mirror';
const PATIENCE = { timeoutMs: 240_000, everyMs: 100 };
const CHANNEL = resourcePath('UpdateChannel', 'up');
const found = await findBucketServer();
if (found.skip !== false) console.log(`mirrors with one bucket are not tested: ${found.skip}`);

interface Replica {
  name: string;
  process: GuardedProcess;
  payloads: number;
  health: number;
}

describe('two mirrors with one bucket', { skip: found.skip }, () => {
  let cluster: Cluster;
  let client: KubeClient;
  let ground: BucketGround;
  let origin: PayloadServer;
  let maker: ReleaseMaker;
  let replicas: Replica[] = [];

  before(async () => {
    if (found.skip !== false) return;
    ({ cluster, client } = await startServing('mirror-test'));
    ground = await BucketGround.start(found.program);
    await ground.server.bucket('mirrors');
    const directory = join(ground.root.path, 'origin');
    await mkdir(directory);
    origin = await startPayloadServer({ directory });
    maker = new ReleaseMaker(directory, origin.url);
    replicas = await Promise.all(['a', 'b'].map(start));
  });

  after(async () => {
    await Promise.all(replicas.map(({ process }) => process.stop()));
    await Promise.all([client?.close(), origin?.stop()]);
    await ground?.stop();
    await cluster?.stop();
  });

  test('fetch a release once and serve it both, though the leader is killed in the midst of its upload', async () => {
    await until('both are ready', async () => (await all(ready)).every(Boolean), PATIENCE);
    const small = await maker.build('2.0.0', 100_000);
    await declare(small);
    await held('2.0.0');
    assert.deepEqual(await all((one) => digestOf(one, small)), [small.digest, small.digest]);
    assert.equal(origin.requests.get('/2.0.0/update.gz'), 1);
    await told(/^careen_mirror_fetches_total\{result="held"\} 1$/m);
    await told(/^careen_mirror_releases 1$/m);
    await told(/^careen_mirror_requests_total\{result="hit"\} 1$/m);

    const large = await maker.build('3.0.0', 3 * LEAST_PART);
    let struck = false;
    ground.proxy.fault = (line) => {
      struck ||= /partNumber=2/.test(line);
      return struck ? { status: 503, code: 'SlowDown' } : undefined;
    };
    await declare(small, large);
    await until('the upload is under way', () => struck, PATIENCE);
    const { spec } = await client.get<Lease>(LEASE);
    const leader = replicas.find(({ name }) => spec?.holderIdentity?.startsWith(name));
    assert.ok(leader, String(spec?.holderIdentity));
    await leader.process.kill();
    ground.proxy.fault = () => undefined;
    replicas = replicas.filter((one) => one !== leader);
    await held('3.0.0');
    assert.deepEqual(await all((one) => digestOf(one, large)), [large.digest]);

    await client.mergePatch(CHANNEL, { spec: { blocked: ['2.0.0'] } });
    await until(
      '2.0.0 is dropped',
      async () => (await all((one) => digestOf(one, small)))[0] === 404,
      PATIENCE,
    );
    await told(/^careen_mirror_evictions_total 1$/m);
  });

  async function start(name: string): Promise<Replica> {
    const [payloads, health] = [await freePort(), await freePort()];
    const place = ground.server.place('mirrors', ground.proxy.url);
    const flags = [
      ...LONG_LEASE,
      `--address=127.0.0.1:${health}`,
      `--directory=${join(ground.root.path, name)}`,
      `--payload-address=127.0.0.1:${payloads}`,
      '--base-url=http://mirror',
      `--s3-bucket=${place.bucket}`,
      `--s3-endpoint=${place.endpoint}`,
      `--s3-credentials=${place.credentials}`,
    ];
    const options = { within: ground.root.cleanup };
    const started = await startOperator(cluster, 'operators/update/mirror/main.ts', name, flags, options);
    return { name, payloads, health, process: started };
  }

  function all<T>(ask: (replica: Replica) => Promise<T>): Promise<T[]> {
    return Promise.all(replicas.map(ask));
  }

  async function declare(...releases: WantedRelease[]): Promise<void> {
    const declared = releases.map(({ version, from }) => ({ version, builds: [from.build] }));
    const spec = { source: { releases: declared }, keys: [maker.updateKey.pem], mirror: {} };
    const body = { apiVersion: API_VERSION, kind: 'UpdateChannel', metadata: { name: 'up' }, spec };
    await client.apply(CHANNEL, body, { fieldManager: 'test', force: true });
  }

  /** What is done is seen before it is counted. */
  function told(metric: RegExp): Promise<void> {
    const isTold = async () => metric.test((await all(metrics)).join('\n'));
    return until(`${metric} is told`, isTold, PATIENCE);
  }

  function held(version: string): Promise<void> {
    const isHeld = async () => {
      const { status } = await client.get<UpdateChannel>(CHANNEL);
      return status?.mirror?.some((one) => one.version === version && one.state === 'Held') === true;
    };
    return until(`${version} is held`, isHeld, PATIENCE);
  }
});

async function ready({ health }: Replica): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${health}/readyz`)).ok;
}

async function metrics({ health }: Replica): Promise<string> {
  return (await fetch(`http://127.0.0.1:${health}/metrics`)).text();
}

/** The digest of what a replica serves as a release's package, or the status that it answers with. */
async function digestOf({ payloads }: Replica, { digest }: WantedRelease): Promise<string | number> {
  const answer = await fetch(`http://127.0.0.1:${payloads}/payloads/${digest}/update.gz`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return answer.ok ? hash('sha256', bytes) : answer.status;
}
