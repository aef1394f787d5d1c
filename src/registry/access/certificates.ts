// containers-certs.d(5): for each registry a directory with *.crt (authorities), and *.cert with its *.key (the client's own).

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import { hasCode, VeneerError } from '../../core/index.js';
import { setting, userContainers } from './registries-files.js';
import type { ConfigPlaces } from './registries-files.js';
import { readSmallFile } from './small-file.js';
import type { EndpointTls } from './types.js';

/** Where distributions keep what the machine trusts, in one file: the list of Go's crypto/x509. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

function namesIn(dir: string): string[] | undefined {
  try {
    return readdirSync(dir).sort();
  } catch (error) {
    // A directory of others is none of ours.
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'EACCES')) return undefined;
    throw error;
  }
}

function readPem(file: string): string {
  const text = readSmallFile(file) ?? '';
  if (text.includes('-----BEGIN ')) return text;
  throw new VeneerError('invalid', `'${file}' is not in PEM: it has no line -----BEGIN`);
}

/** A certificate, a key, or a directory that may be a host's. */
function isUsed(dir: string, name: string): boolean {
  return /\.(?:crt|cert|key)$/.test(name) || namesIn(path.join(dir, name)) !== undefined;
}

/** The first directory there is; `--cert-dir` holds the files themselves, or a directory for each host. */
function directoryOf(origin: string, places: ConfigPlaces, certDir: string | undefined): string | undefined {
  if (certDir !== undefined) {
    const names = namesIn(certDir);
    if (names === undefined) throw new VeneerError('not-found', `--cert-dir: there is no directory '${certDir}'`);
    if (names.length > 0 && !names.some((name) => isUsed(certDir, name))) {
      throw new VeneerError('not-found', `--cert-dir: there is no certificate in '${certDir}'`, {
        hint: 'certificates of authorities are called *.crt, those to show *.cert, beside their *.key',
      });
    }
    const ofHost = path.join(certDir, origin);
    return namesIn(ofHost) === undefined ? certDir : ofHost;
  }
  const etc = places.etc ?? '/etc';
  const roots = [userContainers(places), path.join(etc, 'containers'), path.join(etc, 'docker')];
  return roots.map((root) => path.join(root, 'certs.d', origin)).find((dir) => namesIn(dir) !== undefined);
}

function clientPair(dir: string, names: readonly string[]): { cert?: string; key?: string } {
  const stems = (extension: string): string[] =>
    names.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length));
  const keys = stems('.key');
  const certs = stems('.cert');
  const lonely = certs.find((stem) => !keys.includes(stem));
  if (lonely !== undefined)
    throw new VeneerError('invalid', `'${path.join(dir, lonely)}.cert' has no key beside it: '${lonely}.key'`, {
      hint: 'certificates of authorities are called *.crt',
    });
  const keyOnly = keys.find((stem) => !certs.includes(stem));
  if (keyOnly !== undefined)
    throw new VeneerError(
      'invalid',
      `'${path.join(dir, keyOnly)}.key' has no certificate beside it: '${keyOnly}.cert'`,
    );
  const [stem] = certs;
  if (stem === undefined) return {};
  return { cert: readPem(path.join(dir, `${stem}.cert`)), key: readPem(path.join(dir, `${stem}.key`)) };
}

/** All that is trusted; undefined where that is no more than what Node trusts by itself. */
function trusted(own: readonly string[], env: NodeJS.ProcessEnv): string[] | undefined {
  const named = setting(env, 'SSL_CERT_FILE');
  const bundles = named === undefined ? SYSTEM_BUNDLES : [named];
  const system = bundles.map((file) => readSmallFile(file)).find((text) => text !== undefined);
  // Node may have been started without them.
  const extraFile = setting(env, 'NODE_EXTRA_CA_CERTS');
  const extra = extraFile === undefined ? undefined : readSmallFile(extraFile);
  if (system === undefined && extra === undefined && own.length === 0) return undefined;
  return [...(system === undefined ? rootCertificates : [system]), ...(extra === undefined ? [] : [extra]), ...own];
}

/** What a connection to this host needs besides whether it is verified. Throws `invalid` for files that cannot be used. */
export function certificatesFor(
  origin: string,
  places: ConfigPlaces,
  certDir: string | undefined,
): Omit<EndpointTls, 'verify'> {
  const dir = directoryOf(origin, places, certDir);
  const names = dir === undefined ? [] : (namesIn(dir) ?? []);
  const own = names.filter((name) => name.endsWith('.crt')).map((name) => readPem(path.join(dir ?? '', name)));
  const ca = trusted(own, places.env);
  return { ...(ca === undefined ? {} : { ca }), ...(dir === undefined ? {} : clientPair(dir, names)) };
}
