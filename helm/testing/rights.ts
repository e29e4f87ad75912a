import { AGENT_NAMESPACE, NAMESPACE } from './release.ts';

/** What every authenticated client may do. */
export const EVERYBODY = [
  'create authentication.k8s.io/selfsubjectreviews',
  'create authorization.k8s.io/selfsubjectaccessreviews',
  'create authorization.k8s.io/selfsubjectrulesreviews',
];
/** What each account of the chart may do: `verbs group/resource`. */
export const RIGHTS: Record<string, string[]> = {
  [`${AGENT_NAMESPACE}:careen-agent`]: [
    'get core/nodes',
    'get,list,watch careen.dev/nodestates',
    'get,update,patch careen.dev/nodestates/status',
  ],
  [`${NAMESPACE}:careen-update`]: [
    'get,list,watch core/nodes',
    'get,list,watch,create,patch,delete careen.dev/nodestates',
    'get,list,watch careen.dev/updatechannels',
    'get,list,watch careen.dev/nodegroups',
    'get,list,watch careen.dev/rebootwindows',
    'get,update,patch careen.dev/updatechannels/status',
    'get,update,patch careen.dev/nodegroups/status',
    'create,patch events.k8s.io/events',
    'create coordination.k8s.io/leases',
  ],
  [`${NAMESPACE}:careen-reboot-lock`]: [
    'get,list,watch,patch core/nodes',
    'get,list,delete core/pods',
    'create core/pods/eviction',
    'get apps/daemonsets',
    'get,list,watch,patch careen.dev/nodestates',
    'get,list,watch,create,patch careen.dev/rebootlocks',
    'get,list,watch careen.dev/rebootwindows',
    'get,list,watch careen.dev/nodegroups',
    'get,update,patch careen.dev/rebootlocks/status',
    'get,update,patch careen.dev/rebootwindows/status',
    'create,patch events.k8s.io/events',
    'create coordination.k8s.io/leases',
  ],
};

const NODE_CONFIG_ANYWHERE = [
  'get,list,watch core/nodes',
  'get,list,watch,patch careen.dev/nodestates',
  'get,list,watch careen.dev/nodeconfigs',
  'get,list,watch,create,patch,delete careen.dev/renderedconfigs',
  'get,update,patch careen.dev/nodeconfigs/status',
  'get,update,patch careen.dev/renderedconfigs/status',
  'create,patch events.k8s.io/events',
];

const SOURCES = ['get,list,watch core/secrets', 'get,list,watch core/configmaps'];

/** What careen-node-config may do, by namespace; `default` is one whose Secrets NodeConfigs may use, kube-system is not. */
export const NODE_CONFIG_RIGHTS: Record<string, string[]> = {
  [NAMESPACE]: [...NODE_CONFIG_ANYWHERE, ...SOURCES, 'create coordination.k8s.io/leases'],
  default: [...NODE_CONFIG_ANYWHERE, ...SOURCES],
  'kube-system': NODE_CONFIG_ANYWHERE,
  'careen-nodes': [
    ...NODE_CONFIG_ANYWHERE,
    'get,list,watch,create,patch,delete core/secrets',
    'get,list,watch,create,patch,delete core/serviceaccounts',
    'get,list,watch,create,patch,delete rbac.authorization.k8s.io/roles',
    'get,list,watch,create,patch,delete rbac.authorization.k8s.io/rolebindings',
  ],
};
