/**
 * The whole name that a kubelet asks its runtime for when a pod names `name`: with registry (`docker.io` if the
 * first part is none, `library/` before a single word) and tag (`latest`).
 */
export function qualifiedName(name: string): string {
  const parts = name.split('/');
  const [first = ''] = parts;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const inHub = parts.length > 1 ? name : `library/${name}`;
  const withRegistry = hasRegistry ? name : `docker.io/${inHub}`;
  const hasTag = /:[^/]+$/.test(withRegistry);
  return hasTag ? withRegistry : `${withRegistry}:latest`;
}
