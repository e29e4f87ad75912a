import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeConfig } from '#api/kinds.ts';
import type { Node } from '#api/meta.ts';
import { nodeConfigsIn, withApplied } from './from-files.ts';
import { difference } from './diff.ts';
import { documentOf } from './node-document.ts';

const NODE: Node = { metadata: { name: 'worker-1', labels: { pool: 'a' } } };
const noKeys = () => undefined;

function manifest(name: string, motd: string, priority = 0): string {
  return `
apiVersion: careen.dev/v1alpha1
kind: NodeConfig
metadata: { name: ${name} }
spec:
  nodeSelector: {}
  priority: ${priority}
  files:
    - { path: /etc/motd, contents: "${motd} \${node.name}\\n" }
    - path: /etc/token
      mode: '0600'
      contentsFrom: { secret: { namespace: careen, name: token, key: t } }
`;
}

const configs = (source: string): NodeConfig[] => nodeConfigsIn(source, 'base.yaml');
const given = (all: readonly NodeConfig[]) => documentOf(NODE, all, noKeys);

test('a change is shown item by item, with the values of the node in it and no secret', () => {
  const before = configs(manifest('base', 'one'));
  const after = withApplied(before, configs(manifest('base', 'two')));
  assert.equal(after.length, 1);
  const text = difference(given(before), given(after));
  assert.match(text, /^ {2}file \/etc\/motd$/m);
  assert.match(text, /^ {4}-one worker-1$/m);
  assert.match(text, /^ {4}\+two worker-1$/m);
  assert.doesNotMatch(text, /token/, 'what stays is not shown');
  assert.match(difference(given([]), given(before)), /\+\(key t of Secret careen\/token\)/);
});

test('nothing is shown where nothing changes', () => {
  const now = configs(manifest('base', 'one'));
  assert.equal(difference(given(now), given(withApplied(now, configs(manifest('base', 'one'))))), '');
});

test('a conflict is told with both owners, and that nothing would be applied', () => {
  const now = configs(manifest('base', 'one'));
  const both = withApplied(now, configs(manifest('other', 'two')));
  assert.match(
    difference(given(now), given(both)),
    /nothing would be applied: Conflicted: .*base and other want different things of file \/etc\/motd/,
  );
});

test('a manifest that is no NodeConfig is left out, and one that is wrong is told with its place', () => {
  assert.deepEqual(configs('kind: Secret\napiVersion: v1\nmetadata: { name: x }\n'), []);
  assert.throws(
    () => configs(manifest('base', 'one').replace('/etc/motd', '/etc/../motd')),
    /base\.yaml: NodeConfig base: spec\.files\.0\.path/,
  );
  assert.throws(() => configs('a: [\n'), /base\.yaml: /);
});
