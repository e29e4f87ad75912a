import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { NodeConfig } from '#api/kinds.ts';
import type { KubeObject } from '#api/meta.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/node-config');
/** How long a healthy canary is watched, here: the example says half a minute. */
const SOAK = '5s';
/** How long a change may go unconfirmed, here: longer than all probes take on a busy computer. */
const CONFIRM = { timeout: '4m', settle: '5s' };
/** No longer than people watch. */
const CONFIRM_CUT_OFF = { timeout: '40s', settle: '5s' };

const NO_NETWORK = `[Unit]
Description=Take the network away

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip rule add priority 1 blackhole'
ExecStop=/bin/sh -c 'ip rule del priority 1'

[Install]
WantedBy=multi-user.target
`;

/** A unit that takes the node's network away as soon as it is applied, and gives it back when it is undone. */
const CUT_OFF: NodeConfig['spec']['units'][number] = {
  name: 'example-cut-off.service',
  contents: NO_NETWORK,
  state: 'Started',
  dropins: [],
  mask: false,
};

/** With that unit. */
export function cutOffConfig(): Promise<NodeConfig> {
  return exampleConfig(({ spec }) => {
    spec.units.push(CUT_OFF);
    spec.confirm = CONFIRM_CUT_OFF;
  });
}

/** examples/node-config/base.yaml at the pace of a demo, changed where a chapter wants it different. */
export async function exampleConfig(
  change: (config: NodeConfig) => unknown = () => undefined,
): Promise<NodeConfig> {
  const config = await example<NodeConfig>('base.yaml');
  config.spec.confirm = CONFIRM;
  for (const wave of config.spec.rollout.waves) wave.soak = SOAK;
  change(config);
  return config;
}

/** examples/node-config/secret.yaml, with another token if one is given. */
export async function exampleSecret(token?: string): Promise<KubeObject> {
  const secret = await example<KubeObject>('secret.yaml');
  return token === undefined ? secret : Object.assign(secret, { stringData: { token } });
}

async function example<T>(file: string): Promise<T> {
  return parse(await readFile(path.join(EXAMPLES, file), 'utf8')) as T;
}
