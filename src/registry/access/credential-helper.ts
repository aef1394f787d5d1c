// Credential helpers: programs called docker-credential-NAME that keep credentials elsewhere, by the protocol of
// github.com/docker/docker-credential-helpers: a verb as the argument, everything else on standard input and output.

import { spawn } from 'node:child_process';
import { displayText, hasCode, messageOf, VeneerError } from '../../core/index.js';
import { parseJsonFile } from './small-file.js';
import { FieldReader } from './fields.js';
import { Secret } from './secret.js';
import type { Credential } from './types.js';

/** As a user name it says that the secret is an identity token. */
const TOKEN_USER = '<token>';
/** In milliseconds. Helpers ask people for passwords of their own, or other hosts for tokens. */
const TIMEOUT = 60_000;
const MAX_OUTPUT = 1 << 20;
const MAX_WORDS = 300;

export interface HelperOptions {
  /** The file that asks for it, for errors. */
  readonly namedIn: string;
  readonly env: NodeJS.ProcessEnv;
  /** In milliseconds. */
  readonly timeout?: number | undefined;
}

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Verb = 'get' | 'store' | 'erase' | 'list';

/** How helpers say that they know of nothing. */
const NOT_FOUND = /credentials not found/i;

/** A helper is named, but not installed. */
export class MissingHelper extends VeneerError {}

export class CredentialHelper {
  /** As it is called in messages: `docker-credential-NAME`. */
  readonly program: string;
  readonly #options: HelperOptions;

  /** Throws `invalid` for a name that could be a path. */
  constructor(name: string, options: HelperOptions) {
    if (!/^[A-Za-z0-9][\w.-]{0,100}$/.test(name))
      throw new VeneerError(
        'invalid',
        `malformed '${options.namedIn}': a credential helper's name is letters and digits`,
      );
    this.program = `docker-credential-${name}`;
    this.#options = options;
  }

  /** What it keeps for a server. */
  async get(server: string): Promise<Credential | undefined> {
    const answer = await this.#run('get', server);
    if (answer.code !== 0 && NOT_FOUND.test(answer.stdout + answer.stderr)) return undefined;
    this.#check('get', answer);
    const fields = new FieldReader(parseJsonFile(answer.stdout, this.program), `answer of '${this.program}'`);
    const username = fields.text('Username') ?? '';
    const secret = new Secret(fields.text('Secret') ?? '');
    if (username === '' && secret.reveal() === '') return undefined;
    if (username === TOKEN_USER) return { kind: 'identity-token', token: secret };
    return { kind: 'basic', username, password: secret };
  }

  async store(server: string, credential: Credential): Promise<void> {
    const isToken = credential.kind === 'identity-token';
    const secret = (isToken ? credential.token : credential.password).reveal();
    const entry = { ServerURL: server, Username: isToken ? TOKEN_USER : credential.username, Secret: secret };
    this.#check('store', await this.#run('store', JSON.stringify(entry)), secret);
  }

  async erase(server: string): Promise<void> {
    const answer = await this.#run('erase', server);
    if (answer.code !== 0 && NOT_FOUND.test(answer.stdout + answer.stderr)) return;
    this.#check('erase', answer);
  }

  /** The servers it keeps something for. */
  async list(): Promise<string[]> {
    const answer = await this.#run('list', '');
    this.#check('list', answer);
    return Object.keys(parseJsonFile(answer.stdout, this.program));
  }

  /** Throws with the helper's own words, unless they may hold a secret. */
  #check(verb: Verb, { code, stdout, stderr }: Answer, secret?: string): void {
    if (code === 0) return;
    const said = [stdout, stderr].map((text) => text.trim()).find((text) => text !== '') ?? '';
    const mayTell =
      code !== null && said !== '' && !said.includes('{') && (secret === undefined || !said.includes(secret));
    const ended = code === null ? 'it was killed' : `exit code ${String(code)}`;
    const words = mayTell ? displayText(said.replace(/\s+/g, ' ').slice(0, MAX_WORDS)) : ended;
    throw this.#failure(`'${this.program} ${verb}' failed: ${words}`);
  }

  #failure(message: string): VeneerError {
    return new VeneerError('unavailable', message, { hint: `'${this.#options.namedIn}' has credentials kept by it` });
  }

  async #run(verb: Verb, input: string): Promise<Answer> {
    const { env, timeout = TIMEOUT } = this.#options;
    const child = spawn(this.program, [verb], { env, stdio: 'pipe' });
    const output = { stdout: '', stderr: '' };
    // What it has started may hold its pipes open.
    const end = (): void => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
    };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        if (output[name].length > MAX_OUTPUT) end();
      });
    }
    // A helper may end before it has read everything.
    child.stdin.on('error', () => undefined).end(input);
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      end();
    }, timeout);
    try {
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', (error) => {
          reject(this.#unusable(error));
        });
        child.once('close', resolve);
      });
      if (late.signal.aborted)
        throw this.#failure(`'${this.program} ${verb}' gave no answer in ${String(timeout / 1000)} s`);
      return { code, ...output };
    } finally {
      clearTimeout(timer);
    }
  }

  #unusable(error: Error): VeneerError {
    const { namedIn } = this.#options;
    if (hasCode(error, 'ENOENT'))
      return new MissingHelper(
        'unavailable',
        `'${this.program}' is not installed, which '${namedIn}' asks for credentials`,
      );
    return new VeneerError(
      'unavailable',
      `'${this.program}' cannot be run, which '${namedIn}' asks for credentials: ${messageOf(error)}`,
    );
  }
}
