import { startCluster, type Cluster } from '#test/cluster/cluster.ts';
import { interruption } from './interruption.ts';
import { endWithParent } from './parent.ts';

endWithParent();
const stayAlive = setInterval(() => {}, 60_000);
const interrupted = interruption();
const cluster = await Promise.race([startCluster(), interrupted.then(() => undefined)]);
// Interrupted while starting: what was started ends with us.
if (cluster === undefined) process.exit(130);
console.log(instructions(cluster));
await interrupted;
await cluster.stop();
clearInterval(stayAlive);
console.log('The cluster is gone.');

function instructions(cluster: Cluster): string {
  return `
A control plane is ready after ${(cluster.startedInMs / 1000).toFixed(1)} s at ${cluster.url}. In another terminal:

  export KUBECONFIG=${cluster.kubeconfig}
  alias kubectl=${cluster.tools.kubectl} helm=${cluster.tools.helm}
  kubectl apply --server-side -f crds/

Logs and the audit log are in ${cluster.directory}.
Ctrl-C ends it and leaves nothing behind.
`;
}
