// Debian's docker-registry as a process of its own, with its storage in a directory: plain, or with passwords, tokens, TLS.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, copyFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir } from '../tmp.js';
import { makeCertificates } from './certificates.js';
import type { Certificates } from './certificates.js';
import { startTokenServer } from './token-server.js';
import type { TokenServer } from './token-server.js';

export interface RegistryOptions {
  /** Who may come in; default 'none', which asks nobody. */
  readonly auth?: 'none' | 'htpasswd' | 'token';
  /** With a certificate of an authority of its own. */
  readonly tls?: boolean;
  /** Storage that stays when the registry ends; by default one that goes with it. */
  readonly root?: string;
  /** With `tls`: who comes must show a certificate of the same authority. */
  readonly clientCertificates?: boolean;
  /** The URL of a registry that this one is a pull-through cache of. */
  readonly mirrorOf?: string;
  /** Whether a token server in this process gives tokens for pulling to anybody; default false. */
  readonly anonymousPull?: boolean;
}

/** One line of the access log. */
export interface LoggedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
}

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `http://HOST` or `https://HOST` */
  readonly url: string;
  /** The directory of its blobs and repositories. */
  readonly storage: string;
  /** What was answered until now, in the order of the answers' ends. */
  readonly requests: readonly LoggedRequest[];
  readonly user: string;
  readonly password: string;
  /** The certificate of the authority, with `tls`. */
  readonly ca?: string;
  readonly certificates?: Certificates;
  /** Of `auth: 'token'`. It answers while this process's event loop runs. */
  readonly tokens?: TokenServer;
  /** A directory in the form of /etc/docker/certs.d that trusts this registry, and the server of its tokens. */
  certsDir(): string;
  stop(): Promise<void>;
}

export const USER = 'someone';
export const PASSWORD = 'open: sesame';
/** bcrypt of PASSWORD, the only scheme the registry takes. */
const HTPASSWD = `${USER}:$2y$05$BfkYQU3yOFwABi3Ev17Pi.O0XS2Lqwnn.Iq7fVieAVyFkbxtWzigq\n`;

/** The service its tokens are for. */
export const SERVICE = 'registry.test';

/** Whatever happens to this process, the kernel ends the other one. */
export function spawnBound(file: string, args: readonly string[], fds: readonly [number, number]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: ['ignore', ...fds] });
}

async function portInLog(child: ChildProcess, log: string): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const text = readFileSync(log, 'utf8');
    const host = /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1];
    if (host !== undefined) return host;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`docker-registry does not start: ${text}`);
    await sleep(10);
  }
}

/** Where an ephemeral port is asked for, the name of the host in certificates is the address alone. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const { auth = 'none', tls = false, mirrorOf } = options;
  const temp = tempDir('registry');
  const at = (...names: string[]): string => path.join(temp.path, ...names);
  const storage = options.root ?? at('storage');
  mkdirSync(storage, { recursive: true });
  const certificates = tls ? makeCertificates(at('tls')) : undefined;
  const tokens =
    auth === 'token'
      ? await startTokenServer({
          directory: at('tokens'),
          service: SERVICE,
          users: { [USER]: PASSWORD },
          anonymousPull: options.anonymousPull ?? false,
          ...(certificates === undefined ? {} : { tls: certificates }),
        })
      : undefined;
  writeFileSync(at('htpasswd'), HTPASSWD);
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      // Several tests look at what it stores while it runs.
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: '127.0.0.1:0',
      secret: 'a secret that is none',
      ...(certificates === undefined
        ? {}
        : {
            tls: {
              certificate: certificates.cert,
              key: certificates.key,
              ...(options.clientCertificates === true ? { clientcas: [certificates.ca] } : {}),
            },
          }),
    },
    ...(auth === 'htpasswd' ? { auth: { htpasswd: { realm: 'the registry of a test', path: at('htpasswd') } } } : {}),
    ...(tokens === undefined
      ? {}
      : {
          auth: {
            token: { realm: tokens.realm, service: SERVICE, issuer: tokens.issuer, rootcertbundle: tokens.certificate },
          },
        }),
    ...(mirrorOf === undefined ? {} : { proxy: { remoteurl: mirrorOf } }),
  };
  // YAML takes JSON.
  writeFileSync(at('config.yml'), JSON.stringify(config));
  const [out, log] = [at('access.log'), at('log')];
  const fds = [openSync(out, 'a'), openSync(log, 'a')] as const;
  const child = spawnBound('docker-registry', ['serve', at('config.yml')], fds);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  fds.forEach((fd) => closeSync(fd));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await tokens?.stop();
  };
  let host: string;
  try {
    host = await portInLog(child, log);
  } catch (error) {
    await stop();
    temp.remove();
    throw error;
  }
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    storage,
    user: USER,
    password: PASSWORD,
    ...(certificates === undefined ? {} : { ca: certificates.ca, certificates }),
    ...(tokens === undefined ? {} : { tokens }),
    get requests() {
      return [...readFileSync(out, 'utf8').matchAll(/"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+)/g)].map(
        ([, method = '', target = '', status]) => ({ method, path: target, status: Number(status) }),
      );
    },
    certsDir() {
      if (certificates === undefined) throw new Error('this registry has no certificate');
      for (const name of tokens === undefined ? [host] : [host, tokens.host]) {
        mkdirSync(at('certs.d', name), { recursive: true });
        copyFileSync(certificates.ca, at('certs.d', name, 'ca.crt'));
      }
      return at('certs.d');
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      temp.remove();
    },
  };
}
