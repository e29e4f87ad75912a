import type { LabelSelector } from '#api/fields.ts';
import { matches } from '#api/selector.ts';

type Labels = Record<string, string>;

const compiled = new WeakMap<LabelSelector, (labels: Labels) => boolean>();

/**
 * `matches`, for selectors of watched objects: each of them is asked about thousands of nodes in every decision,
 * so what can be prepared is prepared once. Watched objects are replaced and never changed.
 */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  let answer = compiled.get(selector);
  if (answer === undefined) {
    answer = compile(selector);
    compiled.set(selector, answer);
  }
  return answer(labels);
}

function compile({ matchLabels = {}, matchExpressions = [] }: LabelSelector): (labels: Labels) => boolean {
  const wanted = Object.entries(matchLabels);
  const rest = matchExpressions.length === 0 ? undefined : { matchExpressions };
  return (labels) => {
    for (const [key, value] of wanted) if (labels[key] !== value) return false;
    return rest === undefined || matches(rest, labels);
  };
}
