import type { OwnerReference } from '#api/meta.ts';
import type { CallOptions, KubeClient } from '../client/client.ts';

interface Review {
  status: { userInfo: { username: string; uid?: string } };
}

/**
 * The ServiceAccount that this process acts as, as an owner: what it owns is deleted with it, so with the release.
 * Undefined for anybody else, who may be gone before the operators are.
 */
export async function ownAccount(
  client: KubeClient,
  namespace: string,
  name: string,
  options?: CallOptions,
): Promise<OwnerReference[] | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const { status } = await client.create<Review>(path, body, undefined, options);
  const { username, uid } = status.userInfo;
  if (username !== `system:serviceaccount:${namespace}:${name}` || uid === undefined) return undefined;
  return [{ apiVersion: 'v1', kind: 'ServiceAccount', name, uid }];
}
