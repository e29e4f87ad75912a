import type { KubeClient } from '#runtime/client/client.ts';

interface ApiResource {
  name: string;
  verbs: string[];
}

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Every `group/resource` and `group/resource/subresource` that the API server serves. */
export async function servedResources(client: KubeClient): Promise<string[]> {
  const { groups } = await client.get<{ groups: { preferredVersion: { groupVersion: string } }[] }>('/apis');
  const versions = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const found: string[] = [];
  for (const path of versions) {
    const { groupVersion, resources } = await client.get<{ groupVersion: string; resources: ApiResource[] }>(
      path,
    );
    const group = groupVersion.includes('/') ? groupVersion.split('/')[0] : 'core';
    found.push(...resources.map(({ name }) => `${group}/${name}`));
  }
  return found;
}

/** What RBAC lets a user do in `namespace` with these resources, one `verb group/resource` for each, sorted. */
export async function allowed(
  client: KubeClient,
  user: string,
  namespace: string,
  resources: readonly string[],
): Promise<string[]> {
  const [, , account = ''] = user.split(':');
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${account}`, 'system:authenticated'];
  const asked = resources.flatMap((resource) => VERBS.map((verb) => ({ verb, resource })));
  const answers = await Promise.all(
    asked.map(async ({ verb, resource: full }) => {
      const [group = '', resource, subresource] = full.split('/');
      const attributes = { verb, group: group === 'core' ? '' : group, resource, subresource, namespace };
      const spec = { user, groups, resourceAttributes: attributes };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const { status } = await client.create<{ status: { allowed: boolean } }>(path, review);
      return status.allowed ? [`${verb} ${full}`] : [];
    }),
  );
  return answers.flat().toSorted();
}

/** `get,list core/nodes` and the like, written out and sorted as `allowed` gives them. */
export function spelledOut(rules: readonly string[]): string[] {
  return rules
    .flatMap((rule) => {
      const [verbs = '', resource = ''] = rule.split(' ');
      return verbs.split(',').map((verb) => `${verb} ${resource}`);
    })
    .toSorted();
}
