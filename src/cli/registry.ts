// What every command that speaks to a registry has: its options, and a client made of them and of the user's configuration.

import { setFlagsFromString } from 'node:v8';
import { Option } from 'commander';
import type { Command } from 'commander';
import { hasCode, messageOf, VeneerError } from '../core/index.js';
import type { Credential, CredentialStore, Secret } from '../registry/index.js';
import type { RegistryClient, RegistryConfig } from '../registry/index.js';
import { parseCount } from './arguments.js';
import { parseDuration } from './duration.js';
import type { ProgressBoard } from './progress.js';

export interface RegistryOptions {
  readonly tlsVerify?: boolean;
  readonly creds?: string;
  readonly authfile?: string;
  readonly certDir?: string;
  readonly retry?: string;
  readonly retryDelay?: string;
}

/** podman's and skopeo's words. Without `creds` where the command has others for who one is. */
export function addRegistryOptions(command: Command, { creds = true } = {}): Command {
  command
    .option('--tls-verify', 'verify certificates; =false: do not, and speak plain HTTP where there is no TLS')
    .addOption(new Option('--no-tls-verify').hideHelp());
  if (creds) command.option('--creds <user[:password]>', "who to be there, instead of what 'veneer login' has kept");
  return command
    .option('--authfile <file>', 'where credentials are kept (REGISTRY_AUTH_FILE)')
    .option('--cert-dir <dir>', 'has *.crt of authorities to trust, *.cert and *.key to show')
    .option('--retry <number>', 'how often to repeat a request that fails (4)')
    .option('--retry-delay <duration>', 'before the first repetition; doubled each time (1s)');
}

/** Where registries are, and how to speak to them. Throws `invalid` for a malformed file. */
export async function registryConfigOf({ tlsVerify, certDir }: RegistryOptions): Promise<RegistryConfig> {
  const { loadRegistryConfig } = await import('../registry/access/index.js');
  return loadRegistryConfig({
    ...(await userOf()),
    ...(tlsVerify === undefined ? {} : { tlsVerify }),
    ...(certDir === undefined ? {} : { certDir }),
  });
}

/** Who the user is, from --creds or from the files. Asks for the password that --creds leaves out. */
export async function credentialStoreOf({ creds, authfile }: RegistryOptions): Promise<CredentialStore> {
  const { CredentialStore } = await import('../registry/access/index.js');
  return new CredentialStore({
    ...(await userOf()),
    ...(authfile === undefined ? {} : { authfile }),
    ...(creds === undefined ? {} : { fixed: await readCreds(creds) }),
  });
}

async function userOf(): Promise<{ env: NodeJS.ProcessEnv; home: string }> {
  const { homedir } = await import('node:os');
  return { env: process.env, home: homedir() };
}

async function readCreds(text: string): Promise<Credential> {
  const { Secret } = await import('../registry/access/index.js');
  const colon = text.indexOf(':');
  const username = colon < 0 ? text : text.slice(0, colon);
  if (username === '') {
    throw new VeneerError('usage', '--creds: the user is missing', { hint: 'write --creds USER:PASSWORD' });
  }
  if (colon >= 0) return { kind: 'basic', username, password: new Secret(text.slice(colon + 1)) };
  return { kind: 'basic', username, password: await askPassword(username) };
}

async function askPassword(username: string): Promise<Secret> {
  const { askSecret } = await import('./prompt.js');
  try {
    return await askSecret(`Password for ${username}: `);
  } catch (error) {
    if (!hasCode(error, 'usage')) throw error;
    throw new VeneerError('usage', `--creds: the password is missing, and ${messageOf(error)}`, {
      hint: "write --creds USER:PASSWORD, or let 'veneer login' keep it",
    });
  }
}

export interface RegistryUse {
  /** Above its lines is said what is waited for; without one, nothing is said. */
  readonly board?: ProgressBoard;
}

/** Runs `act` with a client, and ends its connections whatever happens. */
export async function withRegistry<Result>(
  options: RegistryOptions,
  act: (client: RegistryClient) => Promise<Result>,
  { board }: RegistryUse = {},
): Promise<Result> {
  compileParserCheaply();
  const { RegistryClient } = await import('../registry/index.js');
  await using client = new RegistryClient({
    config: await registryConfigOf(options),
    credentials: await credentialStoreOf(options),
    retry: {
      ...(options.retry === undefined ? {} : { attempts: parseCount('--retry', options.retry, 0) + 1 }),
      ...(options.retryDelay === undefined ? {} : { delay: parseDuration('--retry-delay', options.retryDelay) }),
    },
    timeouts: timeoutsOf(process.env.VENEER_REGISTRY_TIMEOUT),
    onWait: ({ registry, reason, milliseconds }) => {
      const seconds = Math.ceil(milliseconds / 1000);
      if (milliseconds >= SOON) board?.note(`${registry}: ${reason}, next try in ${String(seconds)} s`);
    },
  });
  return await act(client);
}

/**
 * undici's parser is WebAssembly: V8's optimizing compiler takes 35 MB to make it faster than a program needs that waits for the
 * network. For the whole process, and so nothing for the library to do.
 */
function compileParserCheaply(): void {
  setFlagsFromString('--liftoff-only');
}

/** Waits that nobody notices, in milliseconds, are not told. */
const SOON = 800;

/** Of a connection, an answer, and the next bytes of one. */
function timeoutsOf(text: string | undefined): { connect?: number; headers?: number; idle?: number } {
  if (text === undefined || text === '') return {};
  const milliseconds = parseDuration('VENEER_REGISTRY_TIMEOUT', text);
  if (milliseconds < 1) throw new VeneerError('usage', `VENEER_REGISTRY_TIMEOUT '${text}': it must be above 0`);
  return { connect: milliseconds, headers: milliseconds, idle: milliseconds };
}
