// What containers leave on a machine: processes, mounts, network namespaces, cgroups, bridges, firewall rules, files of a boot.
// Tests of other files run meanwhile: what bears the path of this store is this one's; of the rest, only what belongs to nobody who lives.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MNT_DETACH, umount2 } from '../../../src/sys/index.js';
import { run } from '../other-process.js';

/** How long what is ending may take. */
const SETTLE_MS = 5_000;
/** What has nobody's path may be of a test beside this one, whose veneer was killed, until that one looks after it. */
const OTHERS_SETTLE_MS = 30_000;

export interface LeakWatch {
  /** What is there at every look, for so long (some seconds by default) or until there is nothing; one line each. */
  leaks(settleMs?: number): Promise<string[]>;
  /** Kills, un-mounts and removes what bears the path of the store. */
  end(): Promise<void>;
}

/** Begins before the store is made: what is on the machine already is not its own. */
export async function watchLeaks(store: string): Promise<LeakWatch> {
  const before = new Set(await ownerless());
  const own = (): string[] => [
    ...processesOf(store).map(({ pid, command }) => `process ${String(pid)}: ${command}`),
    ...mountsOf(store).map((target) => `mount ${target}`),
    ...filesOfBoot(store),
  ];
  const others = async (): Promise<string[]> => (await ownerless()).filter((line) => !before.has(line));
  return {
    async leaks(settleMs) {
      const mine = await settled(() => Promise.resolve(own()), settleMs ?? SETTLE_MS);
      return [...mine, ...(await settled(others, settleMs ?? OTHERS_SETTLE_MS))];
    },
    async end() {
      for (let tries = 0; tries < 50 && processesOf(store).length > 0; tries += 1) {
        for (const { pid } of processesOf(store)) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // ESRCH: it has ended meanwhile.
          }
        }
        await sleep(20);
      }
      for (const target of mountsOf(store).reverse()) umount2(target, MNT_DETACH);
      rmSync(runDirectory(store), { recursive: true, force: true });
    },
  };
}

/** What is there at every look. */
async function settled(look: () => Promise<string[]>, milliseconds: number): Promise<string[]> {
  let left = await look();
  for (const end = Date.now() + milliseconds; left.length > 0 && Date.now() < end;) {
    await sleep(100);
    const now = new Set(await look());
    left = left.filter((line) => now.has(line));
  }
  return left;
}

/** Where what must not outlive a boot lies, for root. */
export function runDirectory(store: string): string {
  return path.join('/run/veneer', createHash('sha256').update(store).digest('hex').slice(0, 16));
}

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** Processes that name the store in their arguments or environment, or that live in a mount namespace of its containers. */
export function processesOf(store: string): Process[] {
  const marks = [store, runDirectory(store)];
  const isOurs = (text: string): boolean => marks.some((mark) => text.includes(mark));
  // A root is told from that of its file system on, which may be mounted on /tmp.
  const tail = store.split('/').slice(-2).join('/');
  const namespaces = new Map<string, boolean>([[readlinkSync('/proc/self/ns/mnt'), false]]);
  const found: Process[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      // Kernel threads and zombies have none.
      if (command === '') continue;
      const namespace = readlinkSync(`/proc/${pid}/ns/mnt`);
      let inside = namespaces.get(namespace);
      if (inside === undefined) {
        // The roots of its mounts: files of the store that are bound to /etc. A copy of the host's namespace has only mount points there.
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'latin1').split('\n');
        inside = mounts.some((line) => (line.split(' ')[3] ?? '').includes(tail));
        namespaces.set(namespace, inside);
      }
      if (inside || isOurs(command) || isOurs(readFileSync(`/proc/${pid}/environ`, 'latin1')))
        found.push({ pid: Number(pid), command });
    } catch {
      // ENOENT, ESRCH: it has ended meanwhile.
    }
  }
  return found;
}

function mountsOf(store: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'latin1')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => [store, runDirectory(store)].some((dir) => target === dir || target.startsWith(`${dir}/`)));
}

/** The directory itself may stay; of a container there is nothing in it. */
function filesOfBoot(store: string): string[] {
  const dir = runDirectory(store);
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /[0-9a-f]{12}/.test(name)).map((name) => path.join(dir, name));
}

/** Traces of containers that no living process explains. */
async function ownerless(): Promise<string[]> {
  return [...emptyCgroups(), ...namedNamespaces(), ...(await emptyBridges()), ...(await rulesOfNobody())];
}

function emptyCgroups(): string[] {
  const found: string[] = [];
  const look = (dir: string): boolean => {
    let empty: boolean;
    try {
      empty = readFileSync(path.join(dir, 'cgroup.procs'), 'latin1') === '';
      for (const entry of readdirSync(dir, { withFileTypes: true }))
        if (entry.isDirectory()) empty = look(path.join(dir, entry.name)) && empty;
    } catch {
      // ENOENT, ENODEV: removed meanwhile. EOPNOTSUPP: threaded.
      return false;
    }
    if (empty && /[0-9a-f]{64}/.test(path.basename(dir)) && !dir.includes('libpod')) found.push(`cgroup ${dir}`);
    return empty;
  };
  const top = '/sys/fs/cgroup';
  for (const entry of readdirSync(top, { withFileTypes: true })) {
    if (entry.isDirectory()) look(path.join(top, entry.name));
  }
  return found;
}

function namedNamespaces(): string[] {
  const dir = '/run/netns';
  return existsSync(dir) ? readdirSync(dir).map((name) => `network namespace ${name}`) : [];
}

interface Link {
  readonly ifname: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

async function emptyBridges(): Promise<string[]> {
  const links = JSON.parse((await run('ip', ['-j', '-d', 'link'])).stdout) as Link[];
  const used = new Set(links.map(({ master }) => master));
  // docker's own is there whether it has containers or not.
  const isOwn = (ifname: string): boolean => ifname !== 'docker0' && !used.has(ifname);
  const bridges = links.filter(({ linkinfo, ifname }) => linkinfo?.info_kind === 'bridge' && isOwn(ifname));
  return bridges.map(({ ifname }) => `bridge ${ifname} without ports`);
}

/** Firewall rules with the address of a container when no network namespace has it. */
async function rulesOfNobody(): Promise<string[]> {
  const { status, stdout } = await run('iptables-save', []);
  if (status !== 0) return [];
  const rules = stdout.split('\n').filter((line) => line.startsWith('-A') && /\b10\.\d+\.\d+\.\d+/.test(line));
  if (rules.length === 0) return [];
  const living = await livingAddresses();
  const isExplained = (rule: string): boolean =>
    [...rule.matchAll(/\b(10\.\d+)\.(\d+)\.(\d+)(\/\d+)?/g)].every(([address, net, , , bits = '/32']) =>
      bits === '/32' ? living.has(address.replace('/32', '')) : [...living].some((one) => one.startsWith(`${net!}.`)),
    );
  return rules.filter((rule) => !isExplained(rule)).map((rule) => `firewall rule ${rule}`);
}

/** Of every network namespace that a process is in. */
async function livingAddresses(): Promise<Set<string>> {
  const namespaces = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      namespaces.set(readlinkSync(`/proc/${pid}/ns/net`), pid);
    } catch {
      // ENOENT, ESRCH: it has ended meanwhile.
    }
  }
  const lists = await Promise.all(
    [...namespaces.values()].map((pid) => run('nsenter', ['-t', pid, '-n', 'ip', '-o', '-4', 'address'])),
  );
  return new Set(lists.flatMap(({ stdout }) => [...stdout.matchAll(/inet ([0-9.]+)/g)].map((match) => match[1]!)));
}
