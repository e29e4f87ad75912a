import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lint } from './lint.ts';
import type { Schema } from './schema.ts';

const text: Schema = { type: 'string', maxLength: 9, description: 'Text.' };

function faultsOf(field: Schema): string[] {
  const root: Schema = { type: 'object', description: 'Root.', properties: { field } };
  return lint(root);
}

test('a field that keeps all rules is passed', () => {
  assert.deepEqual(faultsOf(text), []);
});

test('each fault of a field is named', () => {
  const cases: [Schema, string][] = [
    [{ maxLength: 9, description: 'Text.' }, 'field: has no type'],
    [{ type: 'string', maxLength: 9 }, 'field: has no description'],
    [{ type: 'string', description: 'Text.' }, 'field: a string needs maxLength'],
    [
      { ...text, type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' },
      'field: a list needs maxItems',
    ],
    [{ ...text, type: 'array', items: text, maxItems: 3 }, 'field: a list needs x-kubernetes-list-type'],
    [
      {
        ...text,
        type: 'array',
        items: { type: 'object', properties: { name: text } },
        maxItems: 3,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
      'field: list-map key name must be a required field of the items',
    ],
    [
      { ...text, type: 'array', items: { type: 'object' }, maxItems: 3, 'x-kubernetes-list-type': 'set' },
      'field: a set holds scalars only',
    ],
    [{ type: 'object', description: 'Map.', additionalProperties: text }, 'field: a map needs maxProperties'],
    [{ ...text, oneOf: [text] }, 'field: oneOf is not for structural schemas'],
    [
      { ...text, 'x-kubernetes-validations': [{ rule: 'true', message: '' }] },
      'field: the rule true needs a message of one line',
    ],
    [{ ...text, 'x-kubernetes-int-or-string': true }, 'field: int-or-string takes no type'],
  ];
  for (const [field, fault] of cases) assert.deepEqual(faultsOf(field), [fault]);
});

test('metadata may not be described', () => {
  const root: Schema = {
    type: 'object',
    description: 'Root.',
    properties: { metadata: { type: 'object', description: 'Name.' } },
  };
  assert.deepEqual(lint(root), ['metadata: may restrict name and generateName only']);
});
