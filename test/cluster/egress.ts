/**
 * How the API server reaches what is in the nodes' network (kubelets, for logs and exec): through a proxy on a unix
 * socket, which is opened when there are such nodes. What it calls by URL goes the direct way.
 */
export function egressConfig(socket: string): object {
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [
      {
        name: 'cluster',
        connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socket } } },
      },
    ],
  };
}
