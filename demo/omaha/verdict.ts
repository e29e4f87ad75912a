import { StoryError } from '../story.ts';
import type { OmahaChapter } from './report.ts';

/** What a chapter must have come to. */
export interface Promised {
  nodes: number;
  machines: number;
  /** Of each kind that try a broken release, at most; undefined: the release is good. */
  canaries?: number | undefined;
}

/** @throws StoryError naming the first promise that a chapter broke */
export function judge(chapter: OmahaChapter, promised: Promised): void {
  const broken = brokenPromise(chapter, promised);
  if (broken !== undefined) throw new StoryError(`${chapter.name}: ${broken}`);
}

function brokenPromise(chapter: OmahaChapter, { nodes, machines, canaries }: Promised): string | undefined {
  const { worst, worstUnderWay, budget, updated, fellBack, halts } = chapter;
  if (worst > budget) return `${worst} were away at once, ${budget} may be`;
  if (worstUnderWay > budget) return `${worstUnderWay} machines were under way at once, ${budget} may be`;
  if (canaries === undefined) {
    if (fellBack.nodes + fellBack.machines > 0) return 'some fell back from a good release';
    if (halts > 0) return 'a good release was halted';
    if (updated.nodes === nodes && updated.machines === machines) return undefined;
    return `${updated.nodes} nodes and ${updated.machines} machines were updated, not ${nodes} and ${machines}`;
  }
  if (halts !== 1) return `the rollout halted ${halts} times, not once`;
  if (updated.nodes + updated.machines > 0) return 'some run the broken release';
  if (fellBack.nodes < 1 || fellBack.machines < 1) return 'not both kinds have tried the broken release';
  if (fellBack.nodes <= canaries && fellBack.machines <= canaries) return undefined;
  return `${fellBack.nodes} nodes and ${fellBack.machines} machines booted it, ${canaries} of each may`;
}
