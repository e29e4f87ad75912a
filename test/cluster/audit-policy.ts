/**
 * What the API server's audit log holds, one JSON object a line: every finished request for a resource, with
 * user, verb and object but no bodies. Who wrote what, and how often, is counted from it.
 */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted', 'Panic'],
  rules: [{ level: 'None', nonResourceURLs: ['*'] }, { level: 'Metadata' }],
};
