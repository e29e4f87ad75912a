import type { KubeObject } from '#api/meta.ts';
import { Controller } from '../controller/controller.ts';
import { busyCheck, freshCheck } from '../health/health.ts';
import { Informer } from '../informer/informer.ts';
import { runOperator } from './operator.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const MAPS = '/api/v1/namespaces/default/configmaps';

/** A small operator: writes into every ConfigMap labelled `double` twice its `value`, and an event about it. */
await runOperator({
  name: 'careen-double',
  argv: process.argv.slice(2),
  setup: async ({ client, log, metrics, health, events, signal }) => {
    const query = { labelSelector: 'double=yes' };
    const onChange = (key: string): void => controller.enqueue(key);
    const informer = new Informer<ConfigMap>({ client, path: MAPS, query, onChange, log, metrics });
    const controller = new Controller({
      name: 'double',
      log,
      metrics,
      reconcile: async (key, { signal: running }) => {
        const map = informer.get(key);
        const twice = String(2 * Number(map?.data?.['value']));
        if (!map || map.data?.['twice'] === twice) return;
        const body = { metadata: { resourceVersion: map.metadata.resourceVersion }, data: { twice } };
        await client.mergePatch(`${MAPS}/${map.metadata.name}`, body, undefined, { signal: running });
        events.event(map, 'Normal', 'Doubled', `twice is ${twice}`);
      },
    });
    informer.start();
    await informer.synced(signal);
    health.live('configmaps', freshCheck(informer));
    health.live('double', busyCheck(controller));
    health.ready('configmaps', () => (informer.hasSynced ? undefined : 'not synced'));
    return { lead: (leading) => controller.run(leading), stop: () => informer.stop() };
  },
});
