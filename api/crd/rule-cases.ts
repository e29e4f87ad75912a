type Break = (valid: Record<string, unknown>) => unknown;

/**
 * For each rule, by its message: what to make of a valid value of the field that the rule stands at, so that it
 * breaks this rule and no bound. For tests; a rule without a case fails them.
 */
export const BROKEN: Record<string, Break> = {
  'operator In or NotIn needs values; Exists and DoesNotExist take none': () => ({
    key: 'zone',
    operator: 'In',
  }),
  'a label key has 1 to 316 characters: [prefix/]name': () => ({ ['k'.repeat(317)]: 'x' }),
  'give exactly one of nodeReady, http or command': (check) => ({
    ...check,
    nodeReady: {},
    command: { argv: ['/usr/bin/true'] },
  }),
  'floorReason needs floor: true; set it or remove the reason': (release) => ({ ...release, floor: false }),
  'give exactly one source: releases or omaha': () => ({}),
  'a release needs a payload (for the careen agent), builds (for update_engine), or both': ({ version }) => ({
    version,
  }),
  'what an upstream offers is verified in the mirror before it is offered here; add mirror: {}': (spec) => ({
    ...spec,
    source: { omaha: { url: 'https://up.example.org/v1/update/', appID: 'app', track: 'stable' } },
    mirror: undefined,
  }),
  "'rest' names the wave of the nodes that no wave takes; give the wave another name": (wave) => ({
    ...wave,
    name: 'rest',
  }),
  'the name of a NodeGroup is the value of a label; use at most 63 characters': (group) => ({
    ...group,
    metadata: { name: 'g'.repeat(64) },
  }),
  "'control-plane' is the RebootLock that careen keeps itself; give the group another name": (group) => ({
    ...group,
    metadata: { name: 'control-plane' },
  }),
  'maxDomains counts values of topologyKey; set topologyKey as well': (lock) => ({
    ...lock,
    topologyKey: undefined,
  }),
  'give duration and exactly one of schedule (cron) or start ("[Day ]HH:MM")': (span) => ({
    ...span,
    schedule: '0 4 * * *',
    start: '04:00',
  }),
  'give from and to with from before to (a blackout), or duration and exactly one of schedule (cron) or start ("[Day ]HH:MM")':
    () => ({ from: '2027-01-01T00:00:00+02:00', to: '2026-12-31T22:00:00Z' }),
  'give at least one allow or deny span; without any the window would say nothing': (window) => ({
    ...window,
    allow: [],
    deny: [],
  }),
  'give exactly one of configMap or secret': () => ({}),
  'give exactly one of contents, contentsBase64 or contentsFrom; an empty file has contents: ""': (file) => ({
    ...file,
    contents: '',
    contentsBase64: '',
  }),
  'a mode with setuid, setgid or sticky bit needs allowSpecialBits: true': (file) => ({
    ...file,
    mode: '4755',
    allowSpecialBits: false,
  }),
  'a masked unit has no contents and no drop-ins, and is neither enabled nor Started': (unit) => ({
    ...unit,
    mask: true,
    state: 'Started',
  }),
  'a sysctl is named as in "net.ipv4.ip_forward"': () => ({ '../../etc/shadow': '1' }),
  'match exactly one of path, unit or setting': () => ({}),
  'Reload and Restart name a unit, Drain may; other actions do not': (rule) => ({
    match: rule['match'],
    action: 'Restart',
  }),
  'give exactly one of nodeReady, http, command, unit, defaultGateway, dns or apiServer': (probe) => ({
    ...probe,
    nodeReady: {},
    apiServer: {},
  }),
  'clients take 45m to 4h': () => '5m',
  'a payload comes with its version, keys and attempt': (update) => ({ ...update, attempt: undefined }),
};
