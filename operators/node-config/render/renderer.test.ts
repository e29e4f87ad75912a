import assert from 'node:assert/strict';
import { test } from 'node:test';
import { node, nodeConfig, nothing } from '../testing/node-config.ts';
import { Renderer } from './renderer.ts';

const labelled = (label: string) => ({ nodeSelector: { matchLabels: { [label]: 'y' } } });
const motd = (contents: string) => ({ files: [{ path: '/etc/motd', contents }] });

const nodes = [node('n1', { a: 'y' }), node('n2', { a: 'y', b: 'y' }), node('n3', { a: 'y' }), node('n4')];

test('nodes that the same configs select share one render; those that none selects have none', () => {
  const configs = [nodeConfig('a', labelled('a')), nodeConfig('b', labelled('b'))];
  const sets = new Renderer().render(configs, nodes, nothing);
  assert.deepEqual(
    sets.map((set) => [
      set.configs.map(({ metadata }) => metadata.name),
      set.nodes.map(({ metadata }) => metadata.name),
    ]),
    [
      [['a'], ['n1', 'n3']],
      [['a', 'b'], ['n2']],
    ],
  );
});

test('a conflict stops only the nodes that both configs select', () => {
  const configs = [
    nodeConfig('a', { ...labelled('a'), ...motd('a') }),
    nodeConfig('b', { ...labelled('b'), ...motd('b') }),
  ];
  const sets = new Renderer().render(configs, nodes, nothing);
  assert.deepEqual(
    sets.map(({ rendered, nodes: members }) => [rendered.ok, members.length]),
    [
      [true, 2],
      [false, 1],
    ],
  );
});

test('what has not changed is not rendered again, and what has is', () => {
  const renderer = new Renderer();
  const renderOf = (generation: number, contents: string) =>
    renderer.render([nodeConfig('a', motd(contents), generation)], nodes, nothing)[0]?.rendered;
  const first = renderOf(1, 'one');
  assert.equal(renderOf(1, 'one'), first);
  const second = renderOf(2, 'two');
  assert.notDeepEqual(second, first);
  assert.equal(renderOf(1, 'one'), first);
});

test('a ConfigMap that changes changes the render of those who take from it', () => {
  const renderer = new Renderer();
  const from = { configMap: { namespace: 'default', name: 'm', key: 'k' } };
  const config = nodeConfig('a', { files: [{ path: '/etc/motd', contentsFrom: from }] });
  const renderOf = (text: string | undefined) =>
    renderer.render([config], nodes, () => (text === undefined ? undefined : Buffer.from(text)))[0]?.rendered;
  const one = renderOf('one ${node.name}');
  assert.deepEqual(one?.ok && one.document.files[0]?.content, { text: 'one $${node.name}' });
  const two = renderOf('two');
  assert.deepEqual(two?.ok && two.document.files[0]?.content, { text: 'two' });
  const none = renderOf(undefined);
  assert.equal(none?.ok === false && none.reason, 'SecretMissing');
});
