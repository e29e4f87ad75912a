import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { node } from '../testing/node-config.ts';
import { fillText, hasValues, literal, nameOf, parseText, type Value } from './values.ts';

const one = node('n1', { zone: 'a', 'example.org/rack': 'r7' });
one.metadata.annotations = { 'example.org/owner': 'ops' };

const fillIn = (text: string, at = one) => fillText(parseText(text).template, at);

/** Text that is full of what could be taken for a value. */
const tricky = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '$',
        '$$',
        '{',
        '}',
        '${node.',
        '${',
        'node.',
        'name',
        '${node.name}',
        '["x"]',
        '\n',
        'é',
      ),
      fc.string({ maxLength: 4 }),
    ),
  )
  .map((parts) => parts.join(''));

test('each value of the set is filled in', () => {
  const text =
    '${node.name} ${node.label["zone"]} ${node.label["example.org/rack"]} ${node.annotation["example.org/owner"]} ${node.address.internal} ${node.address.hostname}';
  assert.deepEqual(fillIn(text), { text: 'n1 a r7 ops 10.0.0.1 n1' });
});

test('a value that the node does not have is named', () => {
  assert.deepEqual(fillIn('x ${node.label["rack"]}'), { missing: '${node.label["rack"]}' });
  assert.deepEqual(fillIn('${node.address.external}'), { missing: '${node.address.external}' });
});

test('a label that every object has by nature is no label of the node', () => {
  assert.deepEqual(fillIn('${node.label["constructor"]}'), { missing: '${node.label["constructor"]}' });
});

test('what looks like a value and is none is unknown', () => {
  for (const text of [
    '${node.nmae}',
    '${node.label.zone}',
    '${node.label["a b"]}',
    '${node.address.}',
    '${node.address.toString}',
    '${node.internal}',
    '${node.name',
  ]) {
    assert.deepEqual(parseText(`x${text}\ny`).unknown, [text]);
  }
});

test('the dollars of shells, units and Makefiles are left alone', () => {
  for (const text of [
    '${HOME} $HOME $$ $${HOME}',
    'ExecStart=/bin/sh -c "echo $$PPID ${A}"',
    '$(MAKE) $$(pwd)',
  ]) {
    assert.deepEqual(fillIn(text), { text });
    assert.equal(hasValues(text), false);
  }
});

test('a doubled dollar keeps a value as it is written', () => {
  assert.deepEqual(fillIn('$${node.name} ${node.name}'), { text: '${node.name} n1' });
});

test('literal text comes out as it went in, whatever it is', () => {
  fc.assert(
    fc.property(tricky, (text) => {
      assert.deepEqual(parseText(literal(text)).unknown, []);
      assert.deepEqual(fillIn(literal(text)), { text });
    }),
    { numRuns: 5000 },
  );
});

test('what is filled in is not looked at again', () => {
  fc.assert(
    fc.property(tricky, (label) => {
      assert.deepEqual(fillIn('${node.label["x"]}', node('n', { x: label })), { text: label });
    }),
    { numRuns: 1000 },
  );
});

test('a value is named as it is written', () => {
  const values: Value[] = [
    { kind: 'name' },
    { kind: 'label', key: 'a/b' },
    { kind: 'annotation', key: 'c' },
    { kind: 'address', type: 'ExternalIP' },
  ];
  for (const value of values) assert.deepEqual(parseText(nameOf(value)).template, [value]);
});
