import * as fc from 'fast-check';
import type { GivenSpec } from './node-config.ts';

/** NodeConfigs of few paths, units and settings, so that several of them meet often. */

const path = fc.constantFrom(
  '/etc/a',
  '/etc/a/b',
  '/etc/b',
  '/etc/systemd/system/x.service',
  '/etc/sysctl.d/1.conf',
  '/etc/hostname',
);
const text = fc.constantFrom(
  'one',
  'two',
  '${node.name}',
  'net.ipv4.ip_forward = 1',
  '[Install]\nAlias=y.service\n',
);
const unit = fc.constantFrom('x.service', 'y.service', 'z.timer');
const few = { maxLength: 2 } as const;

const files = fc.uniqueArray(
  fc.record({ path, contents: text, mode: fc.constantFrom('644', '0644', '0600') }),
  {
    ...few,
    selector: (file) => file.path,
  },
);
const links = fc.uniqueArray(fc.record({ path, target: fc.constantFrom('/dev/null', 'x.service', '../b') }), {
  ...few,
  selector: (link) => link.path,
});
const directories = fc.uniqueArray(fc.record({ path }), { ...few, selector: (directory) => directory.path });
const units = fc.uniqueArray(
  fc.oneof(
    fc.record({ name: unit, mask: fc.constant(true) }),
    fc.record(
      {
        name: unit,
        contents: text,
        state: fc.constantFrom('Started' as const, 'Stopped' as const),
        dropins: fc.constantFrom('one', 'two').map((contents) => [{ name: '1.conf', contents }]),
      },
      { requiredKeys: ['name'] },
    ),
  ),
  { ...few, selector: (one) => one.name },
);
const rules = fc.array(
  fc.record({
    match: fc.oneof(
      fc.record({ path: fc.constantFrom('/etc/', '/etc/a', '/etc/systemd/system/') }),
      fc.record({ unit }),
      fc.record({ setting: fc.constantFrom('sysctls' as const, 'hostname' as const) }),
    ),
    action: fc.constantFrom('None' as const, 'Reboot' as const),
  }),
  few,
);

/** A spec that the API accepts. It may still contradict itself. */
export const anySpec: fc.Arbitrary<GivenSpec> = fc.record(
  {
    priority: fc.constantFrom(0, 0, 1),
    files,
    directories,
    links,
    units,
    sysctls: fc.constantFrom(
      { 'net.ipv4.ip_forward': '0' },
      { 'net/ipv4/ip_forward': '1' },
      { 'vm.swappiness': '1' },
    ),
    kernelModules: fc.constantFrom('a-b', 'a_b', 'c').map((name) => [name]),
    kernelArguments: fc.constantFrom('1', '2').map((value) => ({ add: [`a=${value}`], remove: ['quiet'] })),
    hostname: fc.constantFrom('one', '${node.name}'),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin'),
    disruption: rules,
    drift: fc.constantFrom('Heal' as const, 'Report' as const),
    confirm: fc.constantFrom({ timeout: '60s' }, { timeout: '1m' }, { settle: '5s' }),
    allowCritical: fc.boolean(),
  },
  { requiredKeys: [] },
);
