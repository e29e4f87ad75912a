import type { Element } from '../wire/read-xml.ts';
import type { Tracks, UpstreamPackage, UpstreamRelease } from './upstream-release.ts';

/** What a server answers with. */
export interface UpstreamPolicy {
  appID: string;
  tracks: Tracks;
  /** Seconds, on every updatecheck. */
  pollInterval?: number | undefined;
}

const PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** What Nebraska's own syncer calls itself; it knows several manifests only if it says so. */
const SYNCER = 'CoreOSUpdateEngine-0.1.0.0';

/** Answers a request as Nebraska does: same elements, same order, the app id as it was asked for. */
export function upstreamAnswer(request: Element, policy: UpstreamPolicy): string {
  const isSyncer =
    request.attributes.get('version') === SYNCER && request.attributes.get('installsource') === 'scheduler';
  const apps = request.children.filter(({ name }) => name === 'app');
  const answers = apps.map((app) => appAnswer(app, policy, isSyncer));
  return `${PROLOG}<response protocol="3.0" server="upstream"><daystart elapsed_seconds="0"></daystart>${answers.join('')}</response>`;
}

function appAnswer(app: Element, policy: UpstreamPolicy, isSyncer: boolean): string {
  const get = (name: string) => app.attributes.get(name) ?? '';
  const track = policy.tracks[`${get('track')}/${get('board') || 'amd64-usr'}`];
  const isOurs = bare(get('appid')) === bare(policy.appID) && track !== undefined;
  const ping = has(app, 'ping') ? '<ping status="ok"></ping>' : '';
  const events = app.children.filter(({ name }) => name === 'event').map(() => '<event status="ok"></event>');
  const check = has(app, 'updatecheck') ? checkAnswer(app, isOurs ? track : undefined, policy, isSyncer) : '';
  const status = isOurs ? 'ok' : 'error-failedToRetrieveUpdatePackageInfo';
  return `<app appid="${get('appid')}" status="${status}">${ping}${check}${events.join('')}</app>`;
}

function checkAnswer(
  app: Element,
  track: readonly UpstreamRelease[] | undefined,
  { pollInterval }: UpstreamPolicy,
  isSyncer: boolean,
): string {
  const poll = pollInterval === undefined ? '' : ` PollInterval="${pollInterval}"`;
  const open = (status: string) => `<updatecheck status="${status}"${poll}>`;
  if (track === undefined) return `${open('error-internal')}<urls></urls></updatecheck>`;
  const steps = stepsAbove(app.attributes.get('version') ?? '', track);
  const many = app.attributes.get('multi_manifest_ok') === 'true';
  const held = isSyncer && !many && steps.length > 1;
  const offered = many ? steps : steps.slice(0, 1);
  const [first] = offered;
  if (first === undefined || held) return `${open('noupdate')}<urls></urls></updatecheck>`;
  const urls = offered
    .flatMap(({ codebases }) => codebases)
    .map((codebase) => `<url codebase="${codebase}"></url>`)
    .join('');
  const manifests = offered.map((release) => manifest(release, many, release === track.at(-1)));
  return `${open('ok')}<urls>${urls}</urls>${manifests.join('')}</updatecheck>`;
}

/** The floors above a version, then the target; nothing at the target or above. */
function stepsAbove(version: string, track: readonly UpstreamRelease[]): UpstreamRelease[] {
  return track.filter(
    (release) =>
      isNewer(release.version, version) && (release.floorReason !== undefined || release === track.at(-1)),
  );
}

function manifest(release: UpstreamRelease, many: boolean, isTarget: boolean): string {
  const floor =
    release.floorReason === undefined ? '' : ` is_floor="true" floor_reason="${release.floorReason}"`;
  const flags = many ? `${floor}${isTarget ? ' is_target="true"' : ''}` : '';
  const packages = release.packages.map(packageXml).join('');
  const action = `<action event="postinstall" sha256="${release.sha256}" DisablePayloadBackoff="true"></action>`;
  return `<manifest version="${release.version}"${flags}><packages>${packages}</packages><actions>${action}</actions></manifest>`;
}

function packageXml({ name, hash, sha256, size, required }: UpstreamPackage): string {
  const second = sha256 === undefined ? '' : ` hash_sha256="${sha256}"`;
  return `<package name="${name}" hash="${hash}"${second} size="${size}" required="${required}"></package>`;
}

function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split(/[.+-]/).map(Number));
  const at = left?.findIndex((part, index) => part !== right?.[index]) ?? -1;
  return at >= 0 && (left?.[at] ?? 0) > (right?.[at] ?? 0);
}

function bare(appID: string): string {
  return appID.trim().toLowerCase().replace(/[{}]/g, '');
}

function has(app: Element, name: string): boolean {
  return app.children.some((child) => child.name === name);
}
