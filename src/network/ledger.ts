// Who has which address and which ports of the bridge. The bridge belongs to the host, whatever the stores, so this lies at a place of
// the host, one directory for each network namespace; it is locked while it changes together with the bridge and its rules, and
// gone when nobody has an address.

import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errno, hasCode } from '../core/index.js';
import { LOCK_EX, LOCK_NB, flock, flockAside, must } from '../sys/index.js';
import type { ProcessIdentity } from '../sys/index.js';
import type { PortBinding } from './types.js';

const PLACE = '/run/veneer/network';

/** What a container has of the bridge, as long as its process, or the one that prepares it, runs. */
export interface Lease {
  readonly id: string;
  readonly name: string;
  /** Without the length of its prefix. */
  readonly address: string;
  /** The host's end of its cable. */
  readonly device: string;
  readonly ports: readonly PortBinding[];
  readonly owner: ProcessIdentity;
}

const BRIDGE_FILE = 'bridge.json';

export class Ledger {
  protected readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  leases(): Lease[] {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith('.lease'))
      .flatMap((name) => (this.#read(name) as Lease | undefined) ?? []);
  }

  lease(id: string): Lease | undefined {
    return this.#read(`${id}.lease`) as Lease | undefined;
  }

  put(lease: Lease): void {
    this.#write(`${lease.id}.lease`, lease);
  }

  remove(id: string): void {
    rmSync(join(this.directory, `${id}.lease`), { force: true });
  }

  /** The subnet of the bridge, once it was made. */
  subnet(): string | undefined {
    return (this.#read(BRIDGE_FILE) as { readonly subnet: string } | undefined)?.subnet;
  }

  setSubnet(subnet: string): void {
    this.#write(BRIDGE_FILE, { subnet });
  }

  /** For when nobody has an address any more: the next bridge is another one. */
  forgetBridge(): void {
    rmSync(join(this.directory, BRIDGE_FILE), { force: true });
  }

  #read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(join(this.directory, name), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all: a process may be killed at any moment. */
  #write(name: string, content: object): void {
    const path = join(this.directory, name);
    writeFileSync(`${path}.new`, JSON.stringify(content));
    renameSync(`${path}.new`, path);
  }
}

function ledgerDirectory(): string {
  return join(PLACE, String(statSync('/proc/self/ns/net').ino));
}

/** The ledger without its lock, for a change of what is the caller's own. */
export function openLedger(): Ledger {
  return new Ledger(ledgerDirectory());
}

async function lock(fd: number, directory: string): Promise<void> {
  const status = flock(fd, LOCK_EX | LOCK_NB);
  if (status === -errno.EAGAIN) must(await flockAside(fd, LOCK_EX), 'flock', directory);
  else must(status, 'flock', directory);
}

/** Whether a directory is still what it was opened as: it may be taken away while others wait for its lock. */
function isThere(fd: number, directory: string): boolean {
  return statSync(directory, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}

/** Undefined where there is none, or another process has just taken it away. */
function openDirectory(directory: string): number | undefined {
  try {
    return openSync(directory, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(dirname(directory), { recursive: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Another process takes away the one above.
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** A ledger that no other process changes meanwhile, nor the bridge and its rules. */
export class LockedLedger extends Ledger implements Disposable {
  readonly #fd: number;
  #isHeld = true;

  private constructor(directory: string, fd: number) {
    super(directory);
    this.#fd = fd;
  }

  /** Makes one where there is none. Waits for others. */
  static async make(): Promise<LockedLedger> {
    const directory = ledgerDirectory();
    for (;;) {
      makeDirectory(directory);
      const ledger = await LockedLedger.#lock(directory);
      if (ledger !== undefined) return ledger;
    }
  }

  /** Undefined where there is none. Waits for others. */
  static async open(): Promise<LockedLedger | undefined> {
    return LockedLedger.#lock(ledgerDirectory());
  }

  /** Undefined where there is none, also when it has just been taken away. */
  static async #lock(directory: string): Promise<LockedLedger | undefined> {
    const fd = openDirectory(directory);
    if (fd === undefined) return undefined;
    try {
      await lock(fd, directory);
      if (isThere(fd, directory)) return new LockedLedger(directory, fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /**
   * Leaves the lock to a process that is started with the file descriptor, and lives until that ends. It takes the empty
   * directories away, the first one first.
   */
  handOver(start: (fd: number, directories: readonly string[]) => void): void {
    start(this.#fd, [this.directory, dirname(this.directory)]);
    this.#close();
  }

  [Symbol.dispose](): void {
    if (!this.#isHeld) return;
    try {
      rmdirSync(this.directory);
      rmdirSync(dirname(this.directory));
    } catch {
      // Others have leases, or another network namespace has some.
    }
    this.#close();
  }

  #close(): void {
    this.#isHeld = false;
    closeSync(this.#fd);
  }
}
