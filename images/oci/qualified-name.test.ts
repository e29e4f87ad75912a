import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qualifiedName } from './qualified-name.ts';

const names = {
  'shop:1': 'docker.io/library/shop:1',
  'careen/agent:0.1.0': 'docker.io/careen/agent:0.1.0',
  'careen/agent': 'docker.io/careen/agent:latest',
  'localhost/pause:1': 'localhost/pause:1',
  'registry.example.org/careen/agent:0.1.0': 'registry.example.org/careen/agent:0.1.0',
  'registry.example.org:5000/agent': 'registry.example.org:5000/agent:latest',
};

for (const [name, qualified] of Object.entries(names)) {
  test(`a pod's ${name} is ${qualified} to the runtime`, () => {
    assert.equal(qualifiedName(name), qualified);
  });
}
