import type { OperatorContext } from '#runtime/operator/operator.ts';
import type { World } from '../world.ts';
import { OmahaEndpoint } from './serve/endpoint.ts';
import { EndpointMetrics } from './serve/endpoint-metrics.ts';
import { Services } from './serve/read-services.ts';
import type { OmahaFlags } from './omaha-flags.ts';
import { openPostgresStore } from './store/postgres/open-postgres-store.ts';
import { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';
import type { MachineStore } from './store/store.ts';

/** So many machines are kept at most. */
const MOST_MACHINES = 1_000_000;
const MAX_CONNECTIONS = 4096;

/** The endpoint and its store, as they run in this process. */
export interface RunningOmaha {
  store: MachineStore;
  port: number;
  close(): Promise<void>;
}

/**
 * Starts the endpoint, if it has an address. Every replica answers: a grant is a transaction of the store, so that
 * nothing depends on who gives it, and machines need not find the leader. Where the store is a file there is one
 * replica only, since a file has one owner.
 */
export async function startOmaha(
  { flags, log, metrics }: Pick<OperatorContext<OmahaFlags>, 'flags' | 'log' | 'metrics'>,
  world: World,
): Promise<RunningOmaha | undefined> {
  if (flags.omahaAddress === undefined) return undefined;
  const store = await openStore(flags);
  const services = new Services({
    groups: () => world.groupList(),
    channel: (name) => world.channels.get(name),
    window: (name) => world.windows.get(name),
  });
  const counters = new EndpointMetrics(metrics.registry);
  const endpoint = new OmahaEndpoint({
    store,
    services: (now) => services.at(now),
    nodeOf: (id) => world.machineNode(id),
    onAnswer: (told) => counters.checked(told),
    address: flags.omahaAddress,
    secret: flags.omahaSecret,
    trustedProxies: flags.omahaTrustedProxies,
    perAddress: { burst: flags.omahaAddressRate * 4, perSecond: flags.omahaAddressRate },
    perMachine: { burst: flags.omahaMachineRate, perSecond: flags.omahaMachineRate / 60 },
    maxConnections: MAX_CONNECTIONS,
    log,
    metrics: counters,
    now: Date.now,
  });
  const port = await endpoint.listen().catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  log.info('answering over Omaha', { port });
  return {
    store,
    port,
    close: async () => {
      await endpoint.close();
      await store.close();
    },
  };
}

function openStore({ omahaFile, omahaDatabase }: Flags): Promise<MachineStore> {
  if (omahaDatabase !== undefined) {
    const urls = omahaDatabase.split(',').map((url) => url.trim());
    return openPostgresStore({ urls, maxMachines: MOST_MACHINES });
  }
  if (omahaFile !== undefined) return openSqliteStore({ file: omahaFile, maxMachines: MOST_MACHINES });
  throw new Error('--omaha-address needs a place to keep machines in: give --omaha-file or --omaha-database');
}

type Flags = OperatorContext<OmahaFlags>['flags'];
