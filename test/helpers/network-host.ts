// A host for networks of containers: a network namespace, so that nothing of the machine's own network is touched and whatever is
// left in it shows.

import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { VeneerError } from '../../src/core/index.js';
import type { ErrorKind } from '../../src/core/index.js';
import type { NetworkRequest, NetworkState } from '../../src/network/index.js';
import { FORGET_MOUNTS } from './own-mounts.js';
import { DOOR } from './requires.js';

/** The address of the host in the world that it believes in. */
export const HOST_ADDRESS = '192.0.2.77';

interface Answer {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: { readonly code: ErrorKind; readonly message: string; readonly hint?: string };
}

const WORLD = [
  'ip link set lo up',
  'ip link add world0 type veth peer name world1',
  'ip link set world1 up',
  `ip address add ${HOST_ADDRESS}/24 dev world0`,
  'ip link set world0 up',
  'ip route add default via 192.0.2.1',
].join(' && ');

/** All its programs are one, which is another one in this mount namespace. */
const WITHOUT_IPTABLES = 'mount --bind /bin/false "$(readlink -f "$(command -v iptables-save)")"';

async function firstLine(child: ChildProcess): Promise<void> {
  await once(child.stdout!, 'data');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A process with a network namespace of its own, as a container is when it gets its network. */
export class NetworkGuest {
  readonly #child: ChildProcess;
  readonly #others: ChildProcess[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What a program of the guest prints, or the code it fails with. */
  run(command: string): Promise<string> {
    return runIn(this.pid, command);
  }

  /** Starts a server that answers a line with another one, at all addresses, or greets without being asked. */
  async serve(word: string, port: number, { greets = false }: { greets?: boolean } = {}): Promise<void> {
    const say = `s.end('${word} to ' + s.remoteAddress + '\\n')`;
    const answer = greets ? say : `s.once('data', () => ${say})`;
    const program = `require('net').createServer(s => ${answer}).listen(${String(port)}, '0.0.0.0', () => console.log('ready'))`;
    const args = ['-t', String(this.pid), '-n', process.execPath, '-e', program];
    const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#others.push(child);
    await firstLine(child);
  }

  async end(): Promise<void> {
    for (const other of this.#others) await end(other);
    await end(this.#child);
  }
}

function runIn(pid: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('nsenter', ['-t', String(pid), '-n', 'sh', '-c', command], { timeout: 5_000 }, (error, stdout) =>
      resolve(error === null ? stdout.trim() : `code ${String(error.code)}`),
    );
  });
}

export class NetworkHost implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #guests: NetworkGuest[] = [];
  #count = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as Answer;
      this.#asked.get(answer.number)?.(answer);
    });
  }

  /** `route: false` is a host that knows no way out; `iptables: false` has nft only. */
  static async start(options: { route?: boolean; iptables?: boolean } = {}): Promise<NetworkHost> {
    const program = path.join(import.meta.dirname, 'network-host-process.mjs');
    const door = path.join(path.dirname(DOOR), '../network/index.js');
    const world = options.route === false ? 'ip link set lo up' : WORLD;
    const without = options.iptables === false ? `${WITHOUT_IPTABLES} && ` : '';
    // As systemd has them: what a helper un-mounts in a copy of the table is un-mounted here, unless it takes care.
    const command = `${FORGET_MOUNTS}mount --make-rshared / && ${without}${world} && exec "$0" "$@"`;
    const child = spawn('unshare', ['-n', '-m', 'sh', '-c', command, process.execPath, program, door], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const host = new NetworkHost(child);
    await host.#answer(0);
    return host;
  }

  /** What is mounted at the host, line by line. */
  mounts(): string[] {
    return readFileSync(`/proc/${String(this.#child.pid)}/mounts`, 'latin1').split('\n');
  }

  #answer(number: number): Promise<Answer> {
    return new Promise((resolve) => this.#asked.set(number, resolve));
  }

  async #call(call: string, ...args: readonly unknown[]): Promise<unknown> {
    this.#count += 1;
    const answer = this.#answer(this.#count);
    this.#child.stdin!.write(`${JSON.stringify({ number: this.#count, call, args })}\n`);
    const { value, error } = await answer;
    if (error === undefined) return value;
    throw new VeneerError(error.code, error.message, error.hint === undefined ? {} : { hint: error.hint });
  }

  /** Prepares a network, and connects a guest that is in its namespace, or has one of its own. */
  async connect(request: NetworkRequest): Promise<{ guest: NetworkGuest; state: NetworkState }> {
    const { namespace } = (await this.#call('prepare', request)) as { namespace?: string };
    const guest = await this.#guest(namespace === undefined ? ['unshare', '-n'] : ['nsenter', `--net=${namespace}`]);
    return { guest, state: (await this.#call('connect', request.id, guest.pid)) as NetworkState };
  }

  async tearDown(id: string, state: NetworkState, runDirectory: string): Promise<void> {
    await this.#call('tearDown', id, state, runDirectory);
  }

  /** Not one of its own, but the host itself. */
  guestAtHost(): NetworkGuest {
    const guest = new NetworkGuest(this.#child);
    this.#guests.push(guest);
    return guest;
  }

  async #guest([program, ...args]: readonly [string, string]): Promise<NetworkGuest> {
    const child = spawn(program, [...args, 'sh', '-c', 'echo ready; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await firstLine(child);
    const guest = new NetworkGuest(child);
    this.#guests.push(guest);
    return guest;
  }

  run(command: string): Promise<string> {
    return runIn(this.#child.pid!, command);
  }

  /** What containers have left: interfaces, rules, and the ledger. Waits for what is being switched off. */
  async left(): Promise<string[]> {
    let left = await this.#left();
    for (let tries = 0; tries < 100 && left.length > 0; tries += 1) {
      await sleep(50);
      left = await this.#left();
    }
    return left;
  }

  async #left(): Promise<string[]> {
    const links = await this.run("ip -o link | grep -E 'veneer|veth'");
    const rules = await this.run('iptables-save | grep -i veneer; nft list tables | grep veneer');
    const ledger = this.#ledger();
    return [links, rules, existsSync(ledger) ? ledger : ''].filter((one) => one !== '' && one !== 'code 1');
  }

  #ledger(): string {
    return `/run/veneer/network/${String(statSync(`/proc/${String(this.#child.pid)}/ns/net`).ino)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What a test has not torn down goes with the host, but for this.
    rmSync(this.#ledger(), { recursive: true, force: true });
    for (const guest of this.#guests) await guest.end();
    await end(this.#child);
  }
}
