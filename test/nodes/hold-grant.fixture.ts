import { GROUP, VERSION } from '#api/group.ts';
import type { KubeClient } from '#runtime/client/client.ts';

const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies';
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
const NAME = 'hold-grant';

/**
 * Granted its reboot, the node keeps in `Granted`: its agent says again and again that it accepts, and the API server
 * does not take it. To be called some seconds before the grant: an API server takes a moment to enforce a policy.
 */
export async function holdGrant(client: KubeClient, node: string): Promise<void> {
  const acceptance = {
    apiGroups: [GROUP],
    apiVersions: [VERSION],
    operations: ['UPDATE'],
    resources: ['nodestates/status'],
    resourceNames: [node],
  };
  const notAccepted = "!has(object.status.update) || object.status.update.phase != 'Rebooting'";
  await client.create(POLICIES, {
    metadata: { name: NAME },
    spec: {
      matchConstraints: { resourceRules: [acceptance] },
      validations: [{ expression: notAccepted, message: 'a test holds it' }],
    },
  });
  await client.create(BINDINGS, {
    metadata: { name: NAME },
    spec: { policyName: NAME, validationActions: ['Deny'] },
  });
}

export async function releaseGrant(client: KubeClient): Promise<void> {
  for (const path of [BINDINGS, POLICIES]) await client.delete(`${path}/${NAME}`);
}
