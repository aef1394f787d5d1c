// An authority of our own, and a certificate of its for this machine and names that only a proxy knows.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../requires.js';

export interface Certificates {
  /** Paths of PEM files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes them in a new directory. */
export function makeCertificates(directory: string): Certificates {
  mkdirSync(directory, { recursive: true });
  const at = (name: string): string => path.join(directory, name);
  const openssl = (...args: string[]): void => void runProgram('openssl', args);
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-subj', '/CN=authority of a test'];
  openssl('req', '-x509', ...EC, '-days', '30', ...authority, '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl('req', ...EC, '-subj', '/CN=127.0.0.1', '-keyout', at('key.pem'), '-out', at('request.pem'));
  writeFileSync(
    at('extensions'),
    'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test,DNS:*.docker.io\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('extensions')];
  openssl('x509', '-req', '-days', '30', ...signing, '-in', at('request.pem'), '-out', at('cert.pem'));
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}
