import type { Command } from 'commander';
import { hasCode, messageOf, VeneerError } from '../../core/index.js';
import type { Credential, CredentialStore } from '../../registry/index.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { checkLoginWords, loginCredential } from '../login-credential.js';
import type { LoginWords } from '../login-credential.js';
import { writeLine } from '../output.js';
import { DOCKER_HUB, parseRegistryName, shownRegistry } from '../registry-name.js';
import type { RegistryName } from '../registry-name.js';
import { addRegistryOptions, credentialStoreOf, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { cleanText } from '../text.js';

interface Options extends RegistryOptions, LoginWords {
  readonly getLogin?: true;
}

/** Throws `permission` for what the registry does not take; resolves to what is to be kept. */
type Check = (credential: Credential) => Promise<Credential>;

function tell(text: string): void {
  process.stderr.write(`${cleanText(text)}\n`);
}

/** Who one is by what is kept. A file that is only to be written is not there yet. */
async function findKept(
  store: CredentialStore,
  { registry, namespace }: RegistryName,
): Promise<Credential | undefined> {
  try {
    return await store.find({ registry, ...(namespace === undefined ? {} : { repository: namespace }) });
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Prints the user, as podman does; an identity token may be nobody's. */
async function printLogin(store: CredentialStore, name: RegistryName): Promise<void> {
  const known = await findKept(store, name);
  if (known === undefined) {
    throw new VeneerError('not-found', `not logged in to ${shownRegistry(name)}`, {
      hint: `veneer login ${shownRegistry(name)}`,
    });
  }
  writeLine(cleanText(known.username ?? '<token>'));
}

/** By the registry itself, not by what is configured of it. */
function isRefused(error: unknown): error is Error {
  return hasCode(error, 'permission') && error instanceof Error && 'status' in error && error.status !== undefined;
}

/** Whether what is kept from before is still good. Where it is not, and nobody can be asked, that is the error. */
async function isStillGood(known: Credential, check: Check): Promise<boolean> {
  tell(`Authenticating with existing credentials${known.username === undefined ? '' : ` of ${known.username}`}...`);
  try {
    await check(known);
    return true;
  } catch (error) {
    const { hasTerminal } = await import('../prompt.js');
    if (!isRefused(error) || !hasTerminal()) throw error;
    tell(messageOf(error));
    return false;
  }
}

async function logIn(name: RegistryName, words: LoginWords, store: CredentialStore, check: Check): Promise<void> {
  const isSilent = words.username === undefined && words.password === undefined;
  const known = isSilent ? await findKept(store, name) : undefined;
  if (known !== undefined && (await isStillGood(known, check))) return;
  const credential = await loginCredential(words, known?.username);
  const { where, isPlain } = await store.save(name, await check(credential));
  if (!isPlain) return;
  tell(`warning: the credentials are kept unencrypted in '${where}'`);
  tell('  hint: a credential helper keeps them better: https://docs.docker.com/go/credential-store/');
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [REGISTRY]')
    .argument('[registry]', `HOST[:PORT], or HOST/NAMESPACE for a part of it (default: ${DOCKER_HUB})`)
    .option('-u, --username <name>', 'who to be there; asked for otherwise')
    .option('--password-stdin', 'read the password or token from standard input; asked for otherwise, unseen')
    .option('-p, --password <password>', 'the password; others on this machine may see it')
    .option('--get-login', 'print who is logged in there, and do nothing else');
  addRegistryOptions(command, { creds: false }).action(
    async (text: string | undefined, { getLogin, username, password, passwordStdin, ...registry }: Options) => {
      const name = parseRegistryName(text ?? DOCKER_HUB);
      const words = Object.fromEntries(
        Object.entries({ username, password, passwordStdin }).filter(([, it]) => it !== undefined),
      );
      checkLoginWords(words);
      const store = await credentialStoreOf(registry);
      if (getLogin === true) {
        await printLogin(store, name);
        return;
      }
      if (password !== undefined) {
        tell('warning: --password shows the password to others on this machine');
        tell('  hint: give it with --password-stdin');
      }
      await interruptible((signal) =>
        withRegistry(registry, async (client) => {
          await logIn(name, words, store, async (credential) => {
            const { identityToken } = await client.login(name.registry, credential, { signal });
            if (identityToken === undefined) return credential;
            const user = credential.username === undefined ? {} : { username: credential.username };
            return { kind: 'identity-token', token: identityToken, ...user };
          });
        }),
      );
      writeLine('Login Succeeded');
    },
  );
  command.addHelpText(
    'after',
    `
The registry is asked before anything is kept. Credentials are kept where docker and podman look for them: in
$DOCKER_CONFIG/config.json (~/.docker), in the credential helper that it names, in the file of --authfile or
REGISTRY_AUTH_FILE, or where there are others for this registry already.`,
  );
  addExamples(command, [
    ['veneer login', 'to Docker Hub; asks for name and password'],
    ['veneer login -u ci --password-stdin registry.example.com <token', 'without a terminal'],
    ['veneer login --get-login registry.example.com', 'who is logged in there'],
  ]);
}
