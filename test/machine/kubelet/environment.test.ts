import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, expand } from './environment.ts';
import type { KubeletPod, PodContainer } from './pod.ts';

const pod: KubeletPod = {
  metadata: { name: 'agent-x', namespace: 'careen', uid: 'u1' },
  spec: { nodeName: 'n1', containers: [] },
};
const facts = { hostIP: '10.0.0.1', podIP: '10.0.1.1' };

test('variables come from values, from the pod and from each other', () => {
  const env = environment(pod, container('NODE_NAME', 'spec.nodeName'), facts);
  assert.deepEqual(env, { GREETING: 'hello', NODE_NAME: 'n1', BOTH: 'hello n1' });
});

test('a field that this kubelet does not know is named', () => {
  const asked = container('X', "metadata.labels['app']");
  assert.throws(() => environment(pod, asked, facts), /metadata\.labels\['app'\]/u);
});

test('arguments are expanded as Kubernetes does it', () => {
  assert.equal(
    expand('--node=$(NODE) $(UNKNOWN) $$(NODE) $x', { NODE: 'n1' }),
    '--node=n1 $(UNKNOWN) $(NODE) $x',
  );
});

function container(name: string, fieldPath: string): PodContainer {
  const env = [
    { name: 'GREETING', value: 'hello' },
    { name, valueFrom: { fieldRef: { fieldPath } } },
    { name: 'BOTH', value: `$(GREETING) $(${name})` },
  ];
  return { name: 'c', image: 'i', env };
}
