// The rules of the bridge: which packets pass, whose addresses are rewritten. Chains of our own hold them, into which the built-in
// ones jump first, so that a host whose policy is to forward nothing (Docker's, ufw's) lets them pass. They are always written as a
// whole, from what is published now: nothing depends on what was there before.

import { runProgram, tryProgram } from './run-program.js';
import type { PortBinding } from './types.js';

export const BRIDGE = 'veneer0';

/** A published port and the address that it leads to. */
export interface Forward extends PortBinding {
  readonly address: string;
}

export interface Rules {
  /** CIDR. */
  readonly subnet: string;
  readonly forwards: readonly Forward[];
}

/** [table, the chain that jumps, the condition, ours]. */
const JUMPS = [
  ['filter', 'FORWARD', '', 'VENEER-FORWARD'],
  // The bridge lets packets of the host's loopback through (route_localnet): a container must not reach it the other way.
  ['filter', 'INPUT', ` -d 127.0.0.0/8 -i ${BRIDGE}`, 'VENEER-INPUT'],
  ['nat', 'PREROUTING', ' -m addrtype --dst-type LOCAL', 'VENEER-DNAT'],
  ['nat', 'OUTPUT', ' -m addrtype --dst-type LOCAL', 'VENEER-DNAT'],
  ['nat', 'POSTROUTING', '', 'VENEER-SNAT'],
] as const;

const TABLES = ['filter', 'nat'] as const;

const CHAINS = {
  filter: ['VENEER-FORWARD', 'VENEER-INPUT'],
  nat: ['VENEER-DNAT', 'VENEER-SNAT'],
} as const;

function forwardRule({ protocol, hostIp, hostPort, address, containerPort }: Forward): string {
  const to = hostIp === '' ? '' : ` -d ${hostIp}/32`;
  const end = `${address}:${String(containerPort)}`;
  return `-A VENEER-DNAT${to} -p ${protocol} -m ${protocol} --dport ${String(hostPort)} -j DNAT --to-destination ${end}`;
}

function ruleLines({ subnet, forwards }: Rules): Readonly<Record<(typeof TABLES)[number], readonly string[]>> {
  return {
    filter: [
      `-A VENEER-FORWARD -o ${BRIDGE} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
      `-A VENEER-FORWARD -i ${BRIDGE} -j ACCEPT`,
      '-A VENEER-INPUT -m conntrack --ctstate INVALID,NEW -j DROP',
    ],
    nat: [
      ...forwards.map(forwardRule),
      `-A VENEER-SNAT -s ${subnet} ! -d 224.0.0.0/4 ! -o ${BRIDGE} -j MASQUERADE`,
      // To a port that is published, from a container, which would otherwise get the answer from another address than it asked.
      `-A VENEER-SNAT -s ${subnet} -o ${BRIDGE} -m conntrack --ctstate DNAT -j MASQUERADE`,
      `-A VENEER-SNAT -s 127.0.0.0/8 -o ${BRIDGE} -j MASQUERADE`,
    ],
  };
}

/** The lines of a table in what iptables-save prints. */
function savedLines(saved: string, table: string): readonly string[] {
  const start = saved.split(`\n*${table}\n`)[1] ?? (saved.startsWith(`*${table}\n`) ? saved : '');
  return (start.split('\nCOMMIT')[0] ?? '').split('\n');
}

const isOurs = (line: string): boolean => line.startsWith('-A ') && / -j VENEER-[A-Z]+$/.test(line);

/** What iptables-restore is to do to make the rules hold, where `saved` is what is there. */
export function iptablesRules(rules: Rules, saved: string): string {
  const lines = ruleLines(rules);
  return TABLES.map((table) => {
    const there = savedLines(saved, table).filter(isOurs);
    const missing = jumpsIn(table).filter((jump) => !there.includes(`-A ${jump}`));
    return [
      `*${table}`,
      // A chain that is declared is made, or emptied.
      ...CHAINS[table].map((chain) => `:${chain} - [0:0]`),
      ...lines[table],
      ...missing.map((jump) => `-I ${jump}`),
      'COMMIT',
      '',
    ].join('\n');
  }).join('');
}

/** The same where there is nothing of ours yet; it is refused, as a whole, where there is. */
export function newIptablesRules(rules: Rules): string {
  const lines = ruleLines(rules);
  return restored((table) => [
    ...CHAINS[table].map((chain) => `-N ${chain}`),
    ...lines[table],
    ...jumpsIn(table).map((jump) => `-I ${jump}`),
  ]);
}

/** Publishes these ports and no others where all other rules hold; it is refused where there are none. */
export function publishedRules(forwards: readonly Forward[]): string {
  return ['*nat', '-F VENEER-DNAT', ...forwards.map(forwardRule), 'COMMIT', ''].join('\n');
}

/** Takes away all that the rules are; it is refused where any of it is not there. */
function iptablesRemoval(): string {
  return restored((table) => [
    ...jumpsIn(table).map((jump) => `-D ${jump}`),
    ...CHAINS[table].map((chain) => `-F ${chain}`),
    ...CHAINS[table].map((chain) => `-X ${chain}`),
  ]);
}

function restored(lines: (table: (typeof TABLES)[number]) => readonly string[]): string {
  return TABLES.map((table) => [`*${table}`, ...lines(table), 'COMMIT', ''].join('\n')).join('');
}

const jumpsIn = (table: string): string[] =>
  JUMPS.filter(([where]) => where === table).map(([, chain, condition, target]) => `${chain}${condition} -j ${target}`);

/** A script for the shell that takes all rules away, also when others have taken some, or written some twice. */
export function removalScript(): string {
  const one = (table: string, command: string): string => `iptables --wait -t ${table} ${command}`;
  const oneByOne = TABLES.flatMap((table) => [
    ...jumpsIn(table).map((jump) => `while ${one(table, `-D ${jump}`)}; do :; done`),
    ...CHAINS[table].flatMap((chain) => [one(table, `-F ${chain}`), one(table, `-X ${chain}`)]),
  ]);
  return `iptables-restore --noflush --wait <<'end' || {
${iptablesRemoval()}end
${oneByOne.join('\n')}
nft -f - <<'end'
${nftRemoval()}end
}`;
}

/** The same for nft, in a table of our own. It cannot overrule the chains of others; a host with iptables has that. */
export function nftRules({ subnet, forwards }: Rules): string {
  const forward = ({ protocol, hostIp, hostPort, address, containerPort }: Forward): string => {
    const to = hostIp === '' ? '' : `ip daddr ${hostIp} `;
    return `    ${to}${protocol} dport ${String(hostPort)} dnat to ${address}:${String(containerPort)}`;
  };
  return `${nftRemoval()}table ip veneer {
  chain published {
${forwards.map(forward).join('\n')}
  }
  chain arriving {
    type nat hook prerouting priority -100
    fib daddr type local jump published
  }
  chain made_here {
    type nat hook output priority -100
    fib daddr type local jump published
  }
  chain leaving {
    type nat hook postrouting priority 100
    ip saddr ${subnet} ip daddr != 224.0.0.0/4 oifname != "${BRIDGE}" masquerade
    ip saddr ${subnet} oifname "${BRIDGE}" ct status dnat masquerade
    ip saddr 127.0.0.0/8 oifname "${BRIDGE}" masquerade
  }
  chain for_us {
    type filter hook input priority 0
    iifname "${BRIDGE}" ip daddr 127.0.0.0/8 ct state invalid,new drop
  }
}
`;
}

/** Declared first: a table that is not there cannot be deleted. */
export function nftRemoval(): string {
  return 'table ip veneer\ndelete table ip veneer\n';
}

const RESTORE = ['--noflush', '--wait'] as const;

/** Makes exactly these rules hold, whatever is there. */
export async function writeRules(rules: Rules): Promise<void> {
  const isNew = await tryProgram('iptables-restore', RESTORE, newIptablesRules(rules));
  if (isNew?.code === 0) return;
  const saved = await tryProgram('iptables-save', []);
  if (saved?.code === 0) await runProgram('iptables-restore', RESTORE, iptablesRules(rules, saved.output));
  else await runProgram('nft', ['-f', '-'], nftRules(rules));
}

/** As `writeRules`, where all but the forwards `added` hold already, which are only added then: the kernel takes long to remove. */
export async function addForwards(rules: Rules, added: readonly Forward[]): Promise<void> {
  const text = ['*nat', ...added.map(forwardRule), 'COMMIT', ''].join('\n');
  const ran = await tryProgram('iptables-restore', RESTORE, text);
  // Without iptables, or after somebody else has emptied its tables.
  if (ran?.code !== 0) await writeRules(rules);
}

/** As `writeRules`, where all but the forwards hold already. */
export async function rewriteForwards(rules: Rules): Promise<void> {
  const ran = await tryProgram('iptables-restore', RESTORE, publishedRules(rules.forwards));
  if (ran?.code !== 0) await writeRules(rules);
}
