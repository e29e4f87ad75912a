import { setTimeout as delay } from 'node:timers/promises';
import type { KubeObject } from '#api/meta.ts';
import { KubeClient } from '../client/client.ts';
import { createLogger } from '../log/log.ts';
import { lead } from './leader.ts';

/**
 * A candidate in a process of its own: while it leads it writes its name into a ConfigMap every 20 ms, through a
 * fenced client, and says on standard output what happens to it, and when, in milliseconds by the clock of the
 * machine. Arguments: kubeconfig, the name of the Lease and of the ConfigMap, identity, lease duration and renew
 * deadline in milliseconds.
 */
const [kubeconfig = '', name = '', identity = '', leaseDurationMs, renewDeadlineMs] = process.argv.slice(2);
const ending = new AbortController();
process.on('SIGTERM', () => ending.abort(new Error('asked to end')));

const client = KubeClient.load({ kubeconfig, userAgent: `leader-${identity}`, qps: 1000 });
const election = KubeClient.load({ kubeconfig, userAgent: `election-${identity}` });
const url = `/api/v1/namespaces/default/configmaps/${name}`;

const say = (what: string): void =>
  void process.stdout.write(`${Number(process.hrtime.bigint()) / 1e6} ${what}\n`);

try {
  await lead({
    client: election,
    namespace: 'default',
    name,
    identity,
    leaseDurationMs: Number(leaseDurationMs),
    renewDeadlineMs: Number(renewDeadlineMs),
    retryPeriodMs: 300,
    log: createLogger({ name: identity, level: 'error' }),
    signal: ending.signal,
    onElected: async (signal, leadership) => {
      say('leads');
      client.fenceWrites(() => leadership.fence());
      while (!signal.aborted) {
        const at = Date.now();
        await client
          .mergePatch<KubeObject>(url, { data: { leader: identity, at: String(at) } }, undefined, {
            signal,
            timeoutMs: 500,
          })
          .catch(() => undefined);
        await delay(20);
      }
      say('stopped acting');
    },
  });
  say('ended');
} catch (error) {
  say((error as Error).name);
}
await Promise.all([client.close(), election.close()]);
