import { exitCodes } from './exit-code.ts';
import { readXml, XmlError, type Element } from './read-xml.ts';

/** One file of an update. */
export interface Package {
  name: string;
  /** Bytes. */
  size: number;
  /** base64 SHA-1, as it came. */
  hash: string;
  /** SHA-256 in hex or base64, as it came. */
  sha256: string;
  required: boolean;
}

/** What a client is told to install. */
export interface Update {
  version: string;
  /** Of the first package, one for each codebase, in order. */
  urls: string[];
  /** Bytes of the first package. */
  size: number;
  /** base64 SHA-256 of the first package. */
  sha256: string;
  maxFailureCountPerUrl: number;
  isDeltaPayload: boolean;
  disablePayloadBackoff: boolean;
  packages: Package[];
}

/** What update_engine makes of an answer. An `exitCode` means that it reports an error. */
export interface Answer {
  exitCode: number;
  /** Seconds, 0 if the server says nothing. */
  pollInterval: number;
  /** Nothing where there is no update. */
  update?: Update | undefined;
}

const MAX_FAILURES_PER_URL = 10;

/** Reads an answer as update_engine does with its XPaths: names without namespace, the first of each, types lax. */
export function readResponse(body: string): Answer {
  if (body === '') return failed(exitCodes.OmahaRequestEmptyResponseError);
  try {
    return readChecks(readXml(body));
  } catch (error) {
    if (error instanceof XmlError) return failed(exitCodes.OmahaRequestXMLParseError);
    throw error;
  }
}

function readChecks(root: Element): Answer {
  const checks = select(root, ['response', 'app', 'updatecheck']);
  const status = checks[0]?.attributes.get('status');
  const pollInterval = lax(checks[0]?.attributes.get('PollInterval'));
  if (status === 'noupdate') return { exitCode: 0, pollInterval };
  const update = status === 'ok' ? readUpdate(checks) : undefined;
  return update === undefined
    ? { ...failed(exitCodes.OmahaResponseInvalid), pollInterval }
    : { exitCode: 0, pollInterval, update };
}

function readUpdate(checks: Element[]): Update | undefined {
  const manifests = below(checks, 'manifest');
  const packages = below(below(manifests, 'packages'), 'package').map(readPackage);
  const actions = below(below(manifests, 'actions'), 'action');
  const action = actions.find(({ attributes }) => attributes.get('event') === 'postinstall')?.attributes;
  const [first] = packages;
  const codebases = below(below(checks, 'urls'), 'url').map(
    ({ attributes }) => attributes.get('codebase') ?? '',
  );
  const sha256 = action?.get('sha256') ?? '';
  if (manifests[0] === undefined || codebases.length === 0 || codebases.includes('')) return undefined;
  if (first === undefined || first.name === '' || first.size <= 0 || sha256 === '') return undefined;
  return {
    version: manifests[0].attributes.get('version') ?? '',
    urls: codebases.map((codebase) => `${codebase.replace(/\/?$/, '/')}${first.name}`),
    size: first.size,
    sha256,
    maxFailureCountPerUrl: lax(action?.get('MaxFailureCountPerUrl')) || MAX_FAILURES_PER_URL,
    isDeltaPayload: action?.get('IsDeltaPayload') === 'true',
    disablePayloadBackoff: action?.get('DisablePayloadBackoff') === 'true',
    packages,
  };
}

function readPackage({ attributes }: Element): Package {
  return {
    name: attributes.get('name') ?? '',
    size: lax(attributes.get('size')),
    hash: attributes.get('hash') ?? '',
    sha256: attributes.get('hash_sha256') ?? '',
    required: attributes.get('required') === 'true',
  };
}

function select(root: Element, [first = '', ...rest]: string[]): Element[] {
  const start = root.name === first && root.namespace === undefined ? [root] : [];
  return rest.reduce(below, start);
}

function below(elements: Element[], name: string): Element[] {
  return elements.flatMap(({ children }) =>
    children.filter((child) => child.name === name && child.namespace === undefined),
  );
}

function failed(exitCode: number): Answer {
  return { exitCode, pollInterval: 0 };
}

/** C's sscanf: the digits at the front, 0 without any. */
function lax(text = ''): number {
  return Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0);
}
