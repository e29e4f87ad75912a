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
