import { type Document, isMap, parseAllDocuments, visit } from 'yaml';

/** What must be there before what: an agent must not run before the policy that holds its token to its own node. */
const ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'NetworkPolicy',
  'Service',
  'PodDisruptionBudget',
  'Deployment',
  'DaemonSet',
  'Job',
];

/** Said of an object by Helm or to it, and of no meaning for one that kubectl applied. */
const OF_HELM = {
  labels: ['app.kubernetes.io/managed-by', 'helm.sh/chart'],
  annotations: [
    'helm.sh/resource-policy',
    'helm.sh/hook',
    'helm.sh/hook-weight',
    'helm.sh/hook-delete-policy',
    'helm.sh/hook-output-log-policy',
  ],
};

/**
 * One file for `kubectl apply` of documents as `helm template` prints them, under `head`. Comments stay.
 */
export function plainFile(head: string, rendered: string): string {
  const documents = parseAllDocuments(rendered).filter(({ contents }) => isMap(contents));
  for (const document of documents) clean(document);
  const ranked = documents.map((document) => ({ document, place: rank(document) }));
  const sorted = ranked.toSorted((one, other) => one.place - other.place);
  const texts = sorted.map(({ document }) => document.toString({ lineWidth: 0, directives: false }).trim());
  const comment = head
    .trim()
    .split('\n')
    .map((line) => `# ${line}`.trimEnd());
  return `${comment.join('\n')}\n---\n${texts.join('\n---\n')}\n`;
}

function rank(document: Document): number {
  const kind = String(document.get('kind'));
  const place = ORDER.indexOf(kind);
  if (place < 0) throw new Error(`no place is known for ${kind} in the plain file: add it to ORDER`);
  return place;
}

function clean(document: Document): void {
  // kubectl and kustomize do not agree on folded lines that are indented further.
  visit(document, { Scalar: (_, scalar) => void (scalar.type === 'BLOCK_FOLDED' && delete scalar.type) });
  document.commentBefore = withoutSource(document.commentBefore);
  if (isMap(document.contents))
    document.contents.commentBefore = withoutSource(document.contents.commentBefore);
  for (const path of [['metadata'], ['spec', 'template', 'metadata']]) {
    for (const [field, keys] of Object.entries(OF_HELM)) {
      const map = document.getIn([...path, field]);
      if (!isMap(map)) continue;
      for (const key of keys) map.delete(key);
      if (map.items.length === 0) document.deleteIn([...path, field]);
    }
  }
}

function withoutSource(comment: string | null | undefined): string | null {
  const lines = (comment ?? '').split('\n').filter((line) => !line.startsWith(' Source: '));
  return lines.join('\n').trim() === '' ? null : lines.join('\n');
}
