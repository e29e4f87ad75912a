import type { Kind } from '../group.ts';

/** A valid object without its head. */
export interface Sample {
  metadata: { name: string };
  spec: Record<string, unknown>;
}

/** Objects for fields of `spec` that cannot stand beside those of SAMPLES. */
export const FURTHER_SAMPLES: Partial<Record<Kind, Sample[]>> = {
  UpdateChannel: [
    {
      metadata: { name: 'upstream' },
      spec: {
        source: {
          omaha: {
            url: 'https://upstream.example.org/v1/update/',
            appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
            track: 'stable',
            architectures: ['amd64', 'arm64'],
            pollInterval: '1h',
          },
        },
        keys: [`RW${'A'.repeat(54)}`],
        mirror: { keep: 3 },
      },
    },
  ],
};

/** One valid object of each kind. With its further samples, every field of `spec` stands somewhere. For tests. */
export const SAMPLES: Record<Kind, Sample> = {
  UpdateChannel: {
    metadata: { name: 'stable' },
    spec: {
      source: {
        releases: [
          {
            version: '2.0.0',
            payload: { manifest: 'https://images.example.org/2.0.0/manifest.json', sha256: 'a'.repeat(64) },
            floor: true,
            floorReason: 'moves the boot loader',
            notes: 'A new kernel.',
          },
          {
            version: '2.1.0-rc.1',
            builds: [
              {
                architecture: 'arm64',
                codebases: ['http://images.example.org/2.1.0/'],
                packages: [
                  {
                    name: 'update.gz',
                    size: 465_881_871,
                    sha1: `${'A'.repeat(27)}=`,
                    sha256: `${'A'.repeat(43)}=`,
                    required: true,
                  },
                ],
              },
            ],
          },
        ],
      },
      keys: [
        `RW${'A'.repeat(54)}`,
        `-----BEGIN PUBLIC KEY-----\n${'A'.repeat(64)}\nAQAB==\n-----END PUBLIC KEY-----\n`,
      ],
      blocked: ['1.9.9'],
      mirror: { keep: 3 },
    },
  },
  NodeGroup: {
    metadata: { name: 'workers' },
    spec: {
      nodeSelector: selector(),
      priority: 10,
      update: {
        channel: 'stable',
        version: '2.0.0',
        allowDowngrade: true,
        paused: true,
        engine: 'gpt',
        rollout: {
          waves: [{ name: 'canary', size: 1, nodeSelector: selector(), soak: '10m' }, { name: 'half' }],
          linear: { duration: '6h' },
          maxUpdates: { count: 100, period: '15m' },
          windows: ['nights'],
          maxStaging: '25%',
          haltOn: { failures: 2, percent: 10, minTried: 20, acknowledged: ['1.9.9'] },
          retry: { limit: 5, backoff: '30s' },
        },
        omaha: {
          appID: '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}',
          tracks: ['stable', '9a2deb70-37be-4026-853f-bfdd6b347bbe'],
          machineSelector: selector(),
          timeout: '2h',
          rebootTimeout: '48h',
          onDemand: 'AtOnce',
          pollInterval: '1h30m',
        },
      },
      reboot: {
        strategy: 'lock',
        maxUnavailable: '10%',
        minReadySeconds: 30,
        delayBetween: '1m30s',
        drain: {
          timeout: '20m',
          onTimeout: 'Skip',
          gracePeriodSeconds: 60,
          skipPodSelector: selector(),
          deleteEmptyDirData: false,
          force: true,
        },
      },
      health: health(),
    },
  },
  RebootLock: {
    metadata: { name: 'zones' },
    spec: {
      nodeSelector: selector(),
      maxUnavailable: 2,
      topologyKey: 'topology.kubernetes.io/zone',
      maxDomains: 1,
      countExternal: false,
      minSeparation: '5m',
    },
  },
  RebootWindow: {
    metadata: { name: 'nights' },
    spec: {
      nodeSelector: selector(),
      allow: [
        { schedule: '0 4 * * 1-5', duration: '2h', timeZone: 'Europe/Berlin' },
        { start: 'Thu 23:00', duration: '1h' },
      ],
      deny: [
        { from: '2026-12-20T00:00:00Z', to: '2027-01-07T00:00:00+01:00', reason: 'holidays' },
        { schedule: '0 0 1 * *', duration: '24h', timeZone: 'UTC' },
        { start: '12:00', duration: '1h' },
      ],
    },
  },
  NodeConfig: {
    metadata: { name: 'base' },
    spec: {
      nodeSelector: selector(),
      priority: 10,
      paused: true,
      files: [
        {
          path: '/etc/motd',
          contents: 'This is ${node.name}.',
          mode: '0644',
          user: 'root',
          group: 'root',
          onRemove: 'Restore',
          drift: 'Report',
        },
        { path: '/opt/bin/helper', contentsBase64: 'aGVsbG8=', mode: '4755', allowSpecialBits: true },
        { path: '/etc/token', contentsFrom: { secret: key('token') }, mode: '600', user: '0', group: '0' },
        { path: '/etc/hosts.d', contentsFrom: { configMap: key('hosts') } },
      ],
      directories: [{ path: '/etc/careen.d', mode: '0750', user: 'root', group: 'adm', onRemove: 'Keep' }],
      links: [{ path: '/etc/current', target: '../opt/current', onRemove: 'Delete' }],
      units: [
        {
          name: 'hello@.service',
          contents: '[Service]\nExecStart=/usr/bin/true\n',
          dropins: [{ name: '10-user.conf', contents: '[Service]\nUser=nobody\n' }],
          enabled: false,
          state: 'Stopped',
        },
        { name: 'bluetooth.service', mask: true },
      ],
      sysctls: { 'net.ipv4.ip_forward': '1' },
      kernelModules: ['br_netfilter'],
      kernelArguments: { add: ['mitigations=auto'], remove: ['quiet'] },
      sshAuthorizedKeys: [{ user: 'core', keys: [`ssh-ed25519 ${'A'.repeat(68)} me`] }],
      hostname: '${node.name}',
      timezone: 'Europe/Berlin',
      ignition: '{"ignition":{"version":"3.4.0"}}',
      disruption: [
        { match: { path: '/etc/ssh/' }, action: 'Reload', unit: 'sshd.service' },
        { match: { unit: 'containerd.service' }, action: 'Drain' },
        { match: { setting: 'kernelModules' }, action: 'Reboot' },
      ],
      validate: [{ path: '/etc/motd', argv: ['/usr/bin/test', '-s', '{}'] }],
      probes: [
        { name: 'node-ready', nodeReady: {}, timeout: '5s' },
        { name: 'web', http: { port: 8080, path: '/healthz', scheme: 'https' } },
        { name: 'disks', command: { argv: ['/usr/bin/check-disks', '--all'] } },
        { name: 'chrony', unit: { name: 'chronyd.service' } },
        { name: 'gateway', defaultGateway: {} },
        { name: 'dns', dns: { name: 'example.org' } },
        { name: 'api', apiServer: {} },
      ],
      confirm: { timeout: '2m', settle: '10s' },
      drift: 'Heal',
      allowCritical: true,
      rollout: {
        waves: [{ name: 'canary', size: 1, nodeSelector: selector(), soak: '10m' }],
        maxApplying: '25%',
        haltOn: { failures: 2, percent: 10, minTried: 20 },
        approval: 'Required',
        approvedPlan: 'a'.repeat(64),
      },
    },
  },
  RenderedConfig: {
    metadata: { name: `rendered-${'a'.repeat(40)}` },
    spec: {
      document: '{"schema":1}',
      sources: [
        {
          name: 'base',
          uid: '9a1c1b1e-7ad3-4b43-9a57-1f2f0e4b8d10',
          generation: 1,
          hash: 'a'.repeat(64),
          spec: '{"nodeSelector":{}}',
        },
      ],
    },
  },
  NodeState: {
    metadata: { name: 'n1' },
    spec: {
      update: {
        group: 'workers',
        channel: 'stable',
        version: '2.0.0',
        payload: { manifest: 'https://images.example.org/2.0.0/manifest.json', sha256: 'a'.repeat(64) },
        keys: [`RW${'A'.repeat(54)}`],
        engine: 'auto',
        attempt: 1,
        allowDowngrade: false,
        health: health(),
        hold: { reason: 'Soaking', message: 'wave canary is watched', since: '2026-11-21T06:00:00.123Z' },
      },
      reboot: {
        grant: {
          id: 'g1',
          nodeUID: '9a1c1b1e-7ad3-4b43-9a57-1f2f0e4b8d10',
          bootID: 'f0a1c1b1-7ad3-4b43-9a57-1f2f0e4b8d10',
          notAfter: '2026-11-21T07:00:00Z',
          mode: 'reboot',
        },
        notBefore: '2026-11-21T06:30:00Z',
        hold: { reason: 'LockFull', message: '2 of 2 are down', since: '2026-11-21T06:00:00Z' },
      },
      config: {
        rendered: `rendered-${'a'.repeat(40)}`,
        hash: 'a'.repeat(64),
        generation: 3,
        apply: false,
        hold: { reason: 'WaitingForWave', message: 'wave canary is not done', since: '2026-11-21T06:00:00Z' },
      },
    },
  },
};

function key(name: string) {
  return { namespace: 'careen', name, key: 'content' };
}

function selector() {
  return {
    matchLabels: { 'example.org/pool': 'workers' },
    matchExpressions: [{ key: 'example.org/zone', operator: 'In', values: ['a', 'b'] }],
  };
}

function health() {
  return {
    deadline: '5m',
    checks: [
      { name: 'node-ready', nodeReady: {}, timeout: '5s' },
      { name: 'web', http: { port: 8080, path: '/healthz', scheme: 'https' } },
      { name: 'disks', command: { argv: ['/usr/bin/check-disks', '--all'] } },
    ],
  };
}
