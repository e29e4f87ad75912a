import type { OmahaApp, OmahaOs } from './request.ts';

/** In Kubernetes' words, as in the label kubernetes.io/arch. */
export type Architecture = 'amd64' | 'arm64' | 'x86' | 'all';

const BOARDS: Readonly<Record<string, Architecture>> = { 'amd64-usr': 'amd64', 'arm64-usr': 'arm64' };

const ARCHES: Readonly<Record<string, Architecture>> = {
  x64: 'amd64',
  amd64: 'amd64',
  arm: 'arm64',
  aarch64: 'arm64',
  arm64: 'arm64',
  x86: 'x86',
  all: 'all',
};

/** A machine's architecture: its board says it, else what it says of its system, else amd64. */
export function architectureOf(
  { board }: Pick<OmahaApp, 'board'>,
  os: Pick<OmahaOs, 'arch'> | undefined,
): Architecture {
  return BOARDS[board ?? ''] ?? ARCHES[os?.arch ?? ''] ?? 'amd64';
}
