import { z } from 'zod';
import { durationFlag, switchFlag } from '#runtime/flags/types.ts';
import { leaveCommand } from '#operators/leave/leave-command.ts';
import { runOperator } from '#runtime/operator/operator.ts';
import { WatchedCaches, type Changes } from './caches.ts';
import { leave } from './leave/leave.ts';
import { Session } from './session.ts';
import { RebootMetrics } from './tell/metrics.ts';

/**
 * The reboot lock: the one part that makes nodes unavailable. Every replica watches; the leader decides.
 * The FleetLock endpoint joins here, as one more way to ask for a place.
 */
const NAME = 'careen-reboot-lock';

const [command, ...rest] = process.argv.slice(2);
const done = "nothing of careen's is left on any Node";
if (command === 'leave') process.exit(await leaveCommand({ name: NAME, work: leave, done }, rest));

await runOperator({
  name: NAME,
  argv: process.argv.slice(2),
  flags: {
    nodeName: {
      schema: z.string().optional(),
      value: 'NAME',
      env: 'NODE_NAME',
      help: 'Node that this replica runs on; it is rebooted last.',
    },
    nodeConditions: {
      schema: switchFlag,
      default: 'false',
      help: 'Show each turn as conditions of the Node, by the names of KEP-5683; three more writes a node and turn, so off.',
    },
    oldestView: {
      schema: durationFlag,
      value: 'TIME',
      default: '150s',
      help: 'A watch that is silent for longer is not decided from; bookmarks come about once a minute.',
    },
  },
  setup: (context) => {
    let session: Session | undefined;
    const changes: Changes = {
      node: (name, node) => session?.node(name, node),
      state: (name) => session?.state(name),
      group: (name) => session?.group(name),
      lock: (name) => session?.lock(name),
      window: (name) => session?.window(name),
    };
    const caches = new WatchedCaches(context, changes, context.flags.oldestView);
    const metrics = new RebootMetrics(context.metrics.registry);
    caches.start(context);
    return {
      lead: async (signal) => {
        const { nodeName: ownNode, nodeConditions } = context.flags;
        session = new Session({ context, caches, metrics, ownNode, nodeConditions, signal });
        await session.run();
        session = undefined;
      },
      stop: () => caches.stop(),
    };
  },
});
