import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { generateKeyPair, type webcrypto } from 'node:crypto';
import { promisify } from 'node:util';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** Who a client certificate speaks for: common name and organizations, as the API server reads them. */
export interface Client {
  user: string;
  groups?: readonly string[] | undefined;
}

/** How a server is reached. */
export interface ServerNames {
  dns: readonly string[];
  ip: readonly string[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const hour = 3_600_000;
const year = 365 * 24 * hour;

/** A certificate authority that lives in memory. */
export class Authority {
  readonly certPem: string;
  readonly keyPem: string;
  readonly #name: x509.Name;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, keyPem: string) {
    this.certPem = certificate.toString('pem');
    this.keyPem = keyPem;
    this.#name = certificate.subjectName;
    this.#keys = keys;
  }

  static async create(name: string): Promise<Authority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: [{ CN: [name] }],
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(certificate, keys, await privatePem(keys));
  }

  /** A certificate with which a program proves to the API server who it is. */
  async issueClient(client: Client): Promise<KeyPair> {
    const organizations = (client.groups ?? []).map((group) => ({ O: [group] }));
    return this.#issue(
      [{ CN: [client.user] }, ...organizations],
      [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
    );
  }

  /** A certificate for a server reached under these DNS names and addresses. */
  async issueServer(names: ServerNames): Promise<KeyPair> {
    const dns = names.dns.map((value) => ({ type: 'dns' as const, value }));
    const ip = names.ip.map((value) => ({ type: 'ip' as const, value }));
    return this.#issue(
      [{ CN: [names.dns[0] ?? names.ip[0] ?? 'server'] }],
      [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([...dns, ...ip]),
      ],
    );
  }

  async #issue(subject: x509.JsonName, extensions: x509.Extension[]): Promise<KeyPair> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject,
      issuer: this.#name.toJSON(),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...extensions,
      ],
    });
    return { cert: certificate.toString('pem'), key: await privatePem(keys) };
  }
}

/** The key pair that signs ServiceAccount tokens: PKCS #8 and SPKI, PEM. */
export async function serviceAccountKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** Begins an hour ago: tests that turn a clock back a little must not fail for that. */
function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + year) };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}
