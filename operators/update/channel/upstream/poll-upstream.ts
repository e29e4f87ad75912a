import { hash } from 'node:crypto';
import type { Architecture } from '#api/build.ts';
import type { OmahaSource } from '#api/channel-source.ts';
import { durationMs } from '#api/fields.ts';
import type { KnownRelease, UpdateChannelStatus, UpstreamState } from '#api/update-channel.ts';
import type { AskUpstream } from './ask-upstream.ts';
import { checkRequest } from './check-request.ts';
import { forgetArchitecture, mergeReleases } from './merge-releases.ts';
import { waitMs } from './next-check.ts';
import { readAnswer, type OfferedRelease } from './read-answer.ts';
import { UpstreamError } from './upstream-error.ts';

/** What an upstream is asked for, with what is known already. */
export interface Poll {
  source: OmahaSource;
  /** Of the UpdateChannel. */
  uid: string;
  known: readonly KnownRelease[];
  state: UpstreamState | undefined;
  architecture: Architecture;
  /** ms since the epoch. */
  now: number;
  random: number;
}

/** The outcome of one poll, to be merged into a status whenever it can be written. */
export interface Polled {
  state: UpstreamState;
  offered: OfferedRelease[];
  /** What was known is of another source. */
  isNewSource: boolean;
}

/** A server gives some floors at a time; so often it is asked for more of them. */
const MAX_STEPS = 8;

/** When the channel's upstream is due, in ms since the epoch; 0 for one that was never asked or is another now. */
export function dueAt(
  source: OmahaSource,
  architecture: Architecture,
  status: UpdateChannelStatus | undefined,
): number {
  const state = status?.upstream?.find((one) => one.architecture === architecture);
  return state === undefined || state.source !== sourceDigest(source) ? 0 : Date.parse(state.nextCheck);
}

/** Asks until the target is known. What goes wrong is in the state that it gives; only the signal's reason is thrown. */
export async function pollUpstream(poll: Poll, ask: AskUpstream, signal: AbortSignal): Promise<Polled> {
  const { source, state, architecture, now, random } = poll;
  const digest = sourceDigest(source);
  const isNewSource = state !== undefined && state.source !== digest;
  const time = new Date(now).toISOString();
  const intervalMs = durationMs(source.pollInterval);
  const next = (pollInterval: number, failures: number) =>
    new Date(now + waitMs({ intervalMs, pollInterval, failures, random })).toISOString();
  const asked = { architecture, source: digest, lastCheck: time };
  try {
    const { offered, pollInterval } = await askOn(
      { ...poll, known: isNewSource ? [] : poll.known },
      ask,
      signal,
    );
    const answered = { ...asked, lastSuccess: time, nextCheck: next(pollInterval, 0), failures: 0 };
    return { state: answered, offered, isNewSource };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const failures = (isNewSource ? 0 : (state?.failures ?? 0)) + 1;
    const { lastSuccess } = isNewSource ? {} : (state ?? {});
    const said = { code: error.code, message: error.message.slice(0, 1024) };
    const failed = { ...asked, ...(lastSuccess && { lastSuccess }), nextCheck: next(0, failures), failures };
    return { state: { ...failed, error: said }, offered: [], isNewSource };
  }
}

/** A status with the outcomes of polls. */
export function withPolled(
  before: UpdateChannelStatus | undefined,
  polled: readonly Polled[],
  architectures: readonly Architecture[],
): Pick<UpdateChannelStatus, 'releases' | 'upstream' | 'lastSync'> {
  let releases = before?.releases ?? [];
  for (const { state, offered, isNewSource } of polled) {
    if (isNewSource) releases = forgetArchitecture(releases, state.architecture);
    releases = mergeReleases(releases, offered, state.lastCheck);
  }
  const fresh = new Map(polled.map(({ state }) => [state.architecture, state]));
  const known = (before?.upstream ?? []).filter(({ architecture }) => !fresh.has(architecture));
  const upstream = [...known, ...fresh.values()].filter(({ architecture }) =>
    architectures.includes(architecture),
  );
  const successes = upstream.map(({ lastSuccess }) => lastSuccess).filter((time) => time !== undefined);
  const lastSync = successes.toSorted().at(-1);
  return {
    releases,
    upstream: upstream.toSorted((a, b) => (a.architecture < b.architecture ? -1 : 1)),
    ...(lastSync === undefined ? {} : { lastSync }),
  };
}

async function askOn(
  { source, uid, known, architecture }: Poll,
  ask: AskUpstream,
  signal: AbortSignal,
): Promise<{ offered: OfferedRelease[]; pollInterval: number }> {
  const offered: OfferedRelease[] = [];
  let version =
    known.find(({ builds }) => builds?.some((one) => one.architecture === architecture))?.version ?? '0.0.0';
  for (let step = 0; step < MAX_STEPS; step++) {
    const body = checkRequest({ source, architecture, version, uid });
    const answer = readAnswer(await ask(source.url, body, signal), architecture);
    offered.push(...answer.offered);
    const last = answer.offered.at(-1)?.version;
    if (answer.isComplete || last === undefined || last === version)
      return { offered, pollInterval: answer.pollInterval };
    version = last;
  }
  throw new UpstreamError('Unusable', `the server gives floors without end, beyond ${version}`);
}

/** Another server, application or track is another source. */
function sourceDigest({ url, appID, track }: OmahaSource): string {
  return hash('sha256', JSON.stringify([url, appID, track]));
}
