import { build, type Architecture, type Build } from '#api/build.ts';
import { osVersion } from '#api/fields.ts';
import { compareVersions } from '#api/version.ts';
import { readElements, type Attributes } from '../../omaha/protocol/read-elements.ts';
import { RequestError } from '../../omaha/protocol/request-error.ts';
import { UpstreamError } from './upstream-error.ts';

/** A release that an upstream server offers. */
export interface OfferedRelease {
  version: string;
  floor: boolean;
  floorReason: string | undefined;
  build: Build;
}

/** A usable answer to a check. */
export interface UpstreamAnswer {
  /** Floors, then the target, in order; none when there is nothing new. */
  offered: OfferedRelease[];
  /** Whether the last of them is the target: else there are more floors beyond it. */
  isComplete: boolean;
  /** Seconds until the next check, as the server wishes; 0 if it says nothing. */
  pollInterval: number;
}

interface RawManifest {
  attributes: Attributes;
  packages: Attributes[];
  action: Attributes | undefined;
}

interface RawAnswer {
  root: string;
  app: Attributes | undefined;
  check: Attributes | undefined;
  codebases: string[];
  manifests: RawManifest[];
}

const MAX_MANIFESTS = 32;

/** Reads an answer strictly: what is odd is an UpstreamError, never half an offer. */
export function readAnswer(body: Uint8Array, architecture: Architecture): UpstreamAnswer {
  const raw = readRaw(body);
  const { root, app, check, manifests, codebases } = raw;
  if (root !== 'response' || app === undefined || check === undefined) {
    throw new UpstreamError(
      'Malformed',
      'the answer is not an Omaha answer to a check; see that url is right',
    );
  }
  const pollInterval = /^\d{1,9}$/.test(check['PollInterval'] ?? '') ? Number(check['PollInterval']) : 0;
  if (check['status'] === 'noupdate') return { offered: [], isComplete: true, pollInterval };
  if (check['status'] !== 'ok') throw refused(app, check);
  if (manifests.length === 0 || manifests.length > MAX_MANIFESTS)
    throw unusable('it has no manifest, or too many');
  const all = manifests.map((manifest, index) =>
    readRelease(manifest, codebasesOf(index, manifests.length, codebases), architecture),
  );
  const target = manifests.findIndex(({ attributes }) => isTrue(attributes['is_target']));
  if (target >= 0) return { offered: upTo(all, target), isComplete: true, pollInterval };
  return { offered: all, isComplete: all.every(({ floor }) => !floor), pollInterval };
}

/** A server that names the target means nothing beyond it. */
function upTo(all: readonly OfferedRelease[], target: number): OfferedRelease[] {
  const last = all[target];
  return all.filter((one) => last === one || compareVersions(one.version, last?.version ?? '') < 0);
}

/** Where there is a codebase for each manifest, its own comes first; who fetches tries the others as well. */
function codebasesOf(index: number, manifests: number, codebases: readonly string[]): string[] {
  const [own] = codebases.length === manifests ? codebases.slice(index) : [];
  return [...new Set([...(own === undefined ? [] : [own]), ...codebases])];
}

function readRaw(body: Uint8Array): RawAnswer {
  const raw: RawAnswer = { root: '', app: undefined, check: undefined, codebases: [], manifests: [] };
  const path: string[] = [];
  const open = (name: string, attributes: Attributes, depth: number) => {
    path.splice(depth, Infinity, name);
    take(raw, path.slice(1).join('/'), attributes, path[0] ?? '');
  };
  try {
    readElements(body, { open });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new UpstreamError(
      'Malformed',
      `the answer cannot be read (${error.message}); see that url is right`,
      error,
    );
  }
  return raw;
}

/** We asked for one app; a second one in the answer is not looked at. */
function take(raw: RawAnswer, path: string, attributes: Attributes, root: string): void {
  const manifest = raw.manifests.at(-1);
  if (path === '') raw.root = root;
  if (path === 'app') raw.app ??= attributes;
  if (path === 'app/updatecheck') raw.check ??= attributes;
  if (path === 'app/updatecheck/urls/url') raw.codebases.push(attributes['codebase'] ?? '');
  if (path === 'app/updatecheck/manifest')
    raw.manifests.push({ attributes, packages: [], action: undefined });
  if (path === 'app/updatecheck/manifest/packages/package') manifest?.packages.push(attributes);
  if (path === 'app/updatecheck/manifest/actions/action' && attributes['event'] === 'postinstall' && manifest)
    manifest.action ??= attributes;
}

function readRelease(
  { attributes, packages, action }: RawManifest,
  codebases: readonly string[],
  architecture: Architecture,
): OfferedRelease {
  const version = osVersion.safeParse(attributes['version']);
  if (!version.success) throw unusable('a manifest has no version, or an odd one');
  if (isTrue(action?.['IsDeltaPayload'])) throw unusable(`${version.data} is a delta`);
  const files = packages.map((file, index) =>
    readPackage(file, index === 0 ? action?.['sha256'] : undefined),
  );
  const parsed = build.safeParse({ architecture, codebases: codebases.slice(0, 8), packages: files });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unusable(`${version.data}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  const floorReason = attributes['floor_reason']?.slice(0, 256);
  return {
    version: version.data,
    floor: isTrue(attributes['is_floor']),
    floorReason: floorReason === '' ? undefined : floorReason,
    build: parsed.data,
  };
}

/** `hash_sha256` is hex for some servers and base64 for others; the payload's own stands in the action. */
function readPackage(file: Attributes, sha256 = file['hash_sha256'] ?? ''): unknown {
  const sha1 = file['hash'] ?? '';
  return {
    name: file['name'],
    size: /^\d{1,15}$/.test(file['size'] ?? '') ? Number(file['size']) : undefined,
    ...(sha1 === '' ? {} : { sha1 }),
    sha256: /^[0-9a-fA-F]{64}$/.test(sha256) ? Buffer.from(sha256, 'hex').toString('base64') : sha256,
    required: file['required'] !== 'false',
  };
}

function isTrue(value: string | undefined): boolean {
  return value === 'true';
}

function refused(app: Attributes, check: Attributes): UpstreamError {
  const status = `app ${app['status'] ?? '-'}, updatecheck ${check['status'] ?? '-'}`.slice(0, 200);
  return new UpstreamError('Refused', `the server refuses (${status}); see that appID and track are right`);
}

function unusable(problem: string): UpstreamError {
  return new UpstreamError('Unusable', `the server offers what cannot be used: ${problem}`.slice(0, 1000));
}
