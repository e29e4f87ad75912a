import type { ConfigProbe } from '#api/config-fields.ts';

/** What held before a change. */
export interface Baseline {
  ready: boolean;
  gateway?: string | undefined;
  kubelet: boolean;
}

/** Port of the kubelet's own health (KubeletConfiguration, healthzPort). */
export const KUBELET_PORT = 10_248;

/**
 * The probes that are asked after every change, whatever the NodeConfigs want: what would cost the node if it was
 * lost, as far as it was there. A Node counts as Ready for most of a minute after its kubelet died, so the kubelet is
 * asked too. Those of the document come after.
 */
export function allProbes(document: readonly ConfigProbe[], baseline: Baseline): ConfigProbe[] {
  const common = { timeout: '10s' };
  const http = { port: KUBELET_PORT, path: '/healthz', scheme: 'http' as const };
  return [
    { name: 'careen-api-server', apiServer: {}, ...common },
    ...(baseline.ready ? [{ name: 'careen-node-ready', nodeReady: {}, ...common }] : []),
    ...(baseline.kubelet ? [{ name: 'careen-kubelet', http, ...common }] : []),
    ...(baseline.gateway === undefined ? [] : [{ name: 'careen-gateway', defaultGateway: {}, ...common }]),
    ...document,
  ];
}
