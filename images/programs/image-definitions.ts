import { nonRoot } from '../base/accounts.ts';
import type { ImageConfig } from '../oci/image.ts';

/** One of the two images: what is in it above the base, and how it starts. */
export interface ImageDefinition {
  /** Its target in the Containerfile, and the last part of its name. */
  name: 'operators' | 'agent';
  /** Which of the bundled programs, by file name. */
  holds: (program: string) => boolean;
  config: ImageConfig;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * One image for all operators: their bundles are a hundredth of Node. The chart says which program runs
 * (`command: ["node", "/app/…"]`); without that an image tells how it is used. The Containerfile says the same.
 */
export function imageDefinitions(version: string): [operators: ImageDefinition, agent: ImageDefinition] {
  const labels = (title: string, description: string) => ({
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.version': version,
  });
  return [
    {
      name: 'operators',
      holds: (program) => program !== 'agent.mjs' && program !== 'kubectl-careen.mjs',
      config: {
        user: `${nonRoot}:${nonRoot}`,
        env: [path],
        entrypoint: ['node'],
        cmd: ['/app/update.mjs', '--help'],
        workingDir: '/',
        labels: labels(
          'careen-operators',
          'Decide which version each node should have, and when it may reboot',
        ),
      },
    },
    {
      name: 'agent',
      holds: (program) => program === 'agent.mjs',
      config: {
        user: '0:0',
        env: [path],
        entrypoint: ['node', '/app/agent.mjs'],
        cmd: ['--help'],
        workingDir: '/',
        labels: labels('careen-agent', 'Stages, boots and verifies operating system images on its node'),
      },
    },
  ];
}
