/** A Deployment of simulated containers, labelled `app=<name>`. */
export function deployment(name: string, replicas: number): object {
  const labels = { app: name };
  const containers = [{ name: 'c', image: 'simulated' }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

/** A DaemonSet whose container is the program `agent` of each machine, shaped like the chart's. */
export function processDaemonSet(name: string, args: readonly string[] = []): object {
  const labels = { app: name };
  const container = {
    name: 'agent',
    image: 'careen',
    command: ['node', '/app/agent.mjs'],
    args: ['--node-name', '$(NODE_NAME)', ...args],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    readinessProbe: { httpGet: { path: '/readyz', port: 8080 } },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { hostNetwork: true, containers: [container] } },
    },
  };
}
