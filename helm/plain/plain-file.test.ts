import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainFile } from './plain-file.ts';

const RENDERED = `---
# Source: careen/templates/a.yaml
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: a
  labels: { app.kubernetes.io/name: a, app.kubernetes.io/managed-by: Helm }
spec:
  template:
    metadata:
      labels: { app.kubernetes.io/name: a, helm.sh/chart: careen-0.1.0 }
---
# Source: careen/templates/b.yaml
# Why this is so.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  annotations: { helm.sh/resource-policy: keep }
---
# Source: careen/templates/c.yaml
`;

test('the policy comes before the agent, comments stay, and nothing is left that speaks of Helm', () => {
  assert.equal(
    plainFile('A file.', RENDERED),
    `# A file.
---
# Why this is so.
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: a
  labels: { app.kubernetes.io/name: a }
spec:
  template:
    metadata:
      labels: { app.kubernetes.io/name: a }
`,
  );
});

test('a kind that has no place yet is an error that says where to give it one', () => {
  assert.throws(() => plainFile('', 'kind: Webhook'), /no place is known for Webhook .* ORDER/);
});
