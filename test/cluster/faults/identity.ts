import { X509Certificate } from 'node:crypto';

/** The common name in a PEM certificate. */
export function commonName(pem: string): string {
  return /^CN=(.+)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? '';
}

/** The subject of a bearer token: `system:serviceaccount:<namespace>:<name>`, or empty when it is no JWT. */
export function tokenSubject(authorization: string | undefined): string {
  const payload = authorization?.replace(/^Bearer /, '').split('.')[1];
  if (payload === undefined) return '';
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { sub?: string };
    return claims.sub ?? '';
  } catch {
    return '';
  }
}
