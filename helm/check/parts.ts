import { API_VERSION } from '#api/group.ts';

/** The Deployments of the operators; each one's Service and Lease have the same name. */
export const OPERATORS = ['careen-update', 'careen-reboot-lock'] as const;
/** The same of those that a release may do without. */
export const NODE_CONFIG = 'careen-node-config';
export const MIRROR = 'careen-mirror';
export const AGENT = 'careen-agent';

const LEASES = '/apis/coordination.k8s.io/v1';

export function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

export function daemonSetPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
}

export function leasePath(namespace: string, name: string): string {
  return `${LEASES}/namespaces/${namespace}/leases/${name}`;
}

export function endpointSlicesPath(namespace: string): string {
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
}

export const GROUP_PATH = `/apis/${API_VERSION}`;
