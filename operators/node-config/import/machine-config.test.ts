import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importConfig } from './import-config.ts';

const CHRONY = `apiVersion: machineconfiguration.openshift.io/v1
kind: MachineConfig
metadata:
  name: 99-master-chrony
  labels:
    machineconfiguration.openshift.io/role: master
  annotations: {a: b}
spec:
  config:
    ignition:
      version: 3.2.0
    storage:
      files:
        - path: /etc/chrony.conf
          mode: 420
          overwrite: true
          contents:
            source: data:text/plain;charset=utf-8;base64,cG9vbCBhCg==
`;

test('a MachineConfig becomes a NodeConfig of its name, for the nodes of its role', () => {
  assert.deepEqual(importConfig(CHRONY), {
    objects: [
      {
        apiVersion: 'careen.dev/v1alpha1',
        kind: 'NodeConfig',
        metadata: { name: '99-master-chrony' },
        spec: {
          nodeSelector: { matchLabels: { 'node-role.kubernetes.io/master': '' } },
          files: [{ path: '/etc/chrony.conf', contents: 'pool a\n', mode: '0644' }],
        },
      },
    ],
    refused: [],
  });
});

test('kernel arguments of both kinds are taken, what belongs to the image is refused', () => {
  const text = `apiVersion: machineconfiguration.openshift.io/v1
kind: MachineConfig
metadata: {name: kargs}
spec:
  osImageURL: ""
  kernelArguments: [nosmt, "a=1 b=2"]
  kernelType: realtime
  extensions: [usbguard]
  fips: true
  config: {ignition: {version: 3.2.0}}
`;
  const { objects, refused } = importConfig(text);
  assert.deepEqual(
    refused.map(({ line, what }) => [line, what]),
    [
      [7, 'spec.kernelType'],
      [8, 'spec.extensions'],
      [9, 'spec.fips'],
    ],
  );
  assert.deepEqual(
    objects.map(({ spec }) => 'kernelArguments' in spec && spec.kernelArguments),
    [{ add: ['nosmt', 'a=1', 'b=2'] }],
  );
});

test('several in one text are several objects', () => {
  const two = `${CHRONY}---\n${CHRONY.replace('99-master-chrony', 'other')}`;
  assert.deepEqual(
    importConfig(two).objects.map(({ metadata }) => metadata.name),
    ['99-master-chrony', 'other'],
  );
});
