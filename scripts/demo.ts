import { parseArgs } from 'node:util';
import { ImageError } from '#images/oci/image-error.ts';
import { openScreen, type Screen } from '#demo/screen.ts';
import { StoryError, type Story } from '#demo/story.ts';
import { ConfigStory } from '#demo/config/config-story.ts';
import { omahaEndpoint, type OmahaEndpoint } from '#demo/omaha/endpoint.ts';
import { OmahaStory } from '#demo/omaha/omaha-story.ts';
import { UpdateStory } from '#demo/update/update-story.ts';
import { demandRealNodes } from '#test/machine/real/possible.ts';
import { RealNodeError } from '#test/machine/real/real-node-error.ts';
import type { NodesKind } from '#test/stack/ground.ts';
import type { Stack } from '#test/stack/stack.ts';
import { startStack } from '#test/stack/start-stack.ts';
import { interruption } from './interruption.ts';
import { endWithParent } from './parent.ts';

const HELP = `npm run demo -- [options]

  --story S     update: 1.0.0 → 2.0.0, a broken 3.0.0 that falls back, 3.0.1 (what is told without this option)
                config: machines are configured, drift is healed, a change that cuts a node off is undone
                omaha: nodes and machines with update_engine under one budget: 2.0.0, a broken 3.0.0 that halts
  --nodes N     machines, 3 to 40 (5)
  --machines N  simulated machines with update_engine, in the story omaha, 10 to 2000 (200)
  --light       light machines (processes with a small kubelet of our own), also where real ones could run
  --speed X     how fast light machines boot, shut down and settle: at 1, a boot takes three seconds (1)
  --keep        stay at the end and print how to play with the cluster
  --help        print this
`;

const ON_REAL_NODES = `  kubectl get nodes,pods --all-namespaces --output wide
  kubectl --namespace careen-system logs --follow deployment/careen-reboot-lock
  kubectl --namespace careen-agent exec daemonset/careen-agent -- node --version
`;

/** How many machines may be unavailable at once, as examples/node-group.yaml says. */
const BUDGET = 2;
const INTERRUPTED = Symbol('interrupted');

const STORIES = ['update', 'config', 'omaha'] as const;

/** How many nodes and machines may be on their way at once in the story omaha: a twentieth, and no fewer than six. */
const SHARE = 20;
const LEAST = 6;

/** A stack, and what a story needs beside it. */
interface Stage {
  stack: Stack;
  endpoint?: OmahaEndpoint | undefined;
}

interface Options {
  story: (typeof STORIES)[number];
  nodes: number;
  machines: number;
  light: boolean;
  speed: number;
  keep: boolean;
}

endWithParent();
process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = interruption();
  const screen = openScreen(process.stdout);
  const starting = startSomehow(options, screen);
  const stage = await Promise.race([starting, interrupted]);
  // Interrupted while starting: what was started ends with this program.
  if (!(stage instanceof Object)) process.exit(130);
  try {
    return await show(stage, options, screen, interrupted);
  } finally {
    screen.close();
    await stage.stack.stop();
  }
}

/** Tells the story on a stack that runs; gives the exit status. */
async function show(
  stage: Stage,
  options: Options,
  screen: Screen,
  interrupted: Promise<unknown>,
): Promise<number> {
  const { stack } = stage;
  const story = storyOn(stage, options, screen);
  try {
    const end = await Promise.race([outcome(story), interrupted.then(() => INTERRUPTED)]);
    screen.close();
    if (end === INTERRUPTED) return 130;
    process.stdout.write(`\n${story.report().join('\n')}\n\n`);
    process.stdout.write(await stack.kubectl(['get', story.shows]).catch(() => ''));
    if (end !== undefined) process.stderr.write(`\n${complaint(end)}\n`);
    if (options.keep) await stay(stack, interrupted);
    return end === undefined ? 0 : 1;
  } finally {
    await story.end?.();
  }
}

function storyOn({ stack, endpoint }: Stage, options: Options, screen: Screen): Story {
  if (options.story === 'config') return new ConfigStory(stack, screen);
  if (endpoint !== undefined) {
    const { nodes, machines } = options;
    const budget = Math.max(LEAST, Math.floor((nodes + machines) / SHARE));
    return new OmahaStory(stack, screen, { machines, budget, endpoint, minReadySeconds: 2 });
  }
  return new UpdateStory(stack, screen, {
    budget: BUDGET,
    speed: stack.nodes === 'real' ? 1 : options.speed,
  });
}

/** The error with which the story ended, or undefined. */
function outcome(story: Story): Promise<unknown> {
  return story.tell().then(
    () => undefined,
    (error: unknown) => error ?? new Error('the story failed'),
  );
}

function complaint(error: unknown): string {
  if (error instanceof StoryError) return `The story did not hold: ${error.message}.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** On real nodes where they can run, else on light machines; says on which, and why. */
async function startSomehow(options: Options, screen: Screen): Promise<Stage> {
  screen.say('careen: a real control plane, machines with real disks, and everything between');
  if (options.story === 'config') return startReal(options, screen);
  if (options.light) {
    screen.say('light machines, because you asked for them (--light)');
    return start('light', options, screen);
  }
  try {
    return await startReal(options, screen);
  } catch (error) {
    if (!isObstacle(error)) throw error;
    screen.say(`light machines, because ${error.message}`);
    return start('light', options, screen);
  }
}

/** @throws RealNodeError, ImageError where this computer cannot make real nodes; the message says what to install */
async function startReal(options: Options, screen: Screen): Promise<Stage> {
  await demandRealNodes();
  screen.say('real nodes: systemd, containerd and kubelet on namespaces; the operators run on them as pods');
  if (options.speed !== 1) screen.say('--speed is for light machines; real nodes take their own time');
  return start('real', options, screen);
}

/** Whether real nodes, or images for them, cannot be made on this computer; the message says what to install. */
function isObstacle(error: unknown): error is Error {
  return error instanceof ImageError || (error instanceof RealNodeError && error.code !== 'NodeFailed');
}

async function start(kind: NodesKind, options: Options, screen: Screen): Promise<Stage> {
  if (options.story !== 'omaha') return { stack: await startWith(kind, options, screen) };
  const endpoint = await omahaEndpoint(kind);
  return { stack: await startWith(kind, options, screen, endpoint.values), endpoint };
}

function startWith(
  kind: NodesKind,
  { story, nodes, speed }: Options,
  screen: Screen,
  values: Record<string, unknown> = {},
): Promise<Stack> {
  return startStack({
    nodes: kind,
    machines: nodes,
    firstVersion: '1.0.0',
    values: { nodeConfig: { enabled: story === 'config' }, ...values },
    times: { bootMs: 3000 / speed, shutdownMs: 1000 / speed, resetMs: 1000 / speed },
    progress: (line) => screen.say(line),
  });
}

async function stay({ cluster, nodes }: Stack, interrupted: Promise<unknown>): Promise<void> {
  process.stdout.write(`
The cluster stays until Ctrl-C. To play with it:

  export KUBECONFIG=${cluster.kubeconfig}
  alias kubectl=${cluster.tools.kubectl} helm=${cluster.tools.helm}
  kubectl get nodegroups,rebootlocks,nodestates
  kubectl edit updatechannel stable
  helm --namespace careen-system status careen
${nodes === 'real' ? ON_REAL_NODES : ''}`);
  const awake = setInterval(() => {}, 60_000);
  await interrupted;
  clearInterval(awake);
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      story: { type: 'string', default: 'update' },
      nodes: { type: 'string', default: '5' },
      machines: { type: 'string', default: '200' },
      light: { type: 'boolean', default: false },
      speed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const story = STORIES.find((one) => one === values.story);
  if (story === undefined) throw new RangeError(`--story takes one of ${STORIES.join(', ')}`);
  if (story === 'config' && values.light)
    throw new RangeError(
      'the story of configuration needs real nodes: light machines have no systemd to configure',
    );
  const nodes = Number(values.nodes);
  const machines = Number(values.machines);
  const speed = Number(values.speed);
  if (!Number.isInteger(nodes) || nodes < 3 || nodes > 40) {
    throw new RangeError('--nodes takes a whole number from 3 to 40');
  }
  if (!Number.isInteger(machines) || machines < 10 || machines > 2000) {
    throw new RangeError('--machines takes a whole number from 10 to 2000');
  }
  if (!(speed > 0 && speed <= 20)) throw new RangeError('--speed takes a number above 0, at most 20');
  return { story, nodes, machines, speed, light: values.light, keep: values.keep };
}
