import path from 'node:path';
import { VeneerError } from '../../core/index.js';
import { certificatesFor } from './certificates.js';
import { NO_DAEMON_JSON, parseDaemonJson } from './daemon-json.js';
import type { DaemonJson } from './daemon-json.js';
import { HUB, hostOf } from './hub.js';
import { matchTable, rewrite, suits } from './match-table.js';
import { loadRegistriesConf } from './registries-files.js';
import type { ConfigPlaces } from './registries-files.js';
import { readSmallFile } from './small-file.js';
import type { Endpoint, EndpointTls, EndpointUse, RegistryConfig } from './types.js';

export interface RegistryConfigOptions extends ConfigPlaces {
  /** What `--tls-verify` says, for every host. */
  readonly tlsVerify?: boolean | undefined;
  /** What `--cert-dir` says, in the place of all certs.d. */
  readonly certDir?: string | undefined;
}

interface Place {
  readonly origin: string;
  readonly repository: string;
  readonly prefix?: string;
  /** Undefined where nothing is said of it. */
  readonly insecure: boolean | undefined;
  readonly isMirror: boolean;
}

function loadDaemonJson(etc = '/etc'): DaemonJson {
  const file = path.join(etc, 'docker/daemon.json');
  const text = readSmallFile(file);
  return text === undefined ? NO_DAEMON_JSON : parseDaemonJson(text, file);
}

/** What the machine and the user have configured of registries. Throws for files that cannot be understood, naming them. */
export function loadRegistryConfig(options: RegistryConfigOptions): RegistryConfig {
  const registries = loadRegistriesConf(options);
  const daemon = loadDaemonJson(options.etc);
  const certificates = new Map<string, Omit<EndpointTls, 'verify'>>();

  const tlsOf = (origin: string, insecure: boolean | undefined): EndpointTls => {
    const known = certificates.get(origin) ?? certificatesFor(origin, options, options.certDir);
    certificates.set(origin, known);
    const configured = insecure === undefined ? undefined : !insecure;
    const verify = options.tlsVerify ?? (daemon.isInsecure(origin) ? false : configured);
    return { ...known, verify };
  };

  const placesOf = (name: { registry: string; repository: string }, use: EndpointUse): Place[] => {
    const table = matchTable(registries, name);
    if (table?.blocked === true) {
      throw new VeneerError('permission', `registry '${table.prefix}' is blocked in '${table.file}'`);
    }
    if (use.write === true) {
      return [{ origin: name.registry, repository: name.repository, insecure: table?.insecure, isMirror: false }];
    }
    const isPulled = name.repository !== '';
    const mirrors = isPulled ? (table?.mirrors.filter((mirror) => suits(mirror, use.reference)) ?? []) : [];
    const ofDocker = isPulled && name.registry === HUB ? daemon.mirrors : [];
    return [
      ...mirrors.map(({ location, insecure }) => ({ ...rewrite(name, table, location), insecure, isMirror: true })),
      ...ofDocker.map(({ origin, prefix, isPlain }) => {
        return { origin, prefix, repository: name.repository, insecure: isPlain ? true : undefined, isMirror: true };
      }),
      { ...rewrite(name, table, table?.location), insecure: table?.insecure, isMirror: false },
    ];
  };

  return {
    endpoints: (name, use) =>
      placesOf(name, use).map(({ origin, repository, prefix = '', insecure, isMirror }): Endpoint => {
        const isSubstitute = hostOf(origin) !== hostOf(name.registry);
        return {
          origin,
          prefix,
          repository,
          credentialsOf: { registry: origin, repository, ...(isSubstitute ? { isSubstitute } : {}) },
          isMirror,
          tls: tlsOf(origin, insecure),
        };
      }),
  };
}
