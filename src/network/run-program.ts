// Running the programs that make networks: ip, nsenter, iptables, nft.

import { spawn } from 'node:child_process';
import { VeneerError, hasCode } from '../core/index.js';

/** A user's PATH may lack where they are. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return { ...env, LC_ALL: 'C', PATH: `${env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` };
}

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly complaint: string;
}

/** Runs a program to its end, however it ends; undefined where there is none of that name. */
export async function tryProgram(program: string, args: readonly string[], input = ''): Promise<Ran | undefined> {
  const child = spawn(program, args, { env: programEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (complaint += String(chunk)));
  // One that ends before it has read all is told by its code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on('error', (error) => (hasCode(error, 'ENOENT') ? resolve(undefined) : reject(error)));
    child.on('close', (code) => resolve({ code: code ?? -1, output, complaint }));
  });
}

/** As `tryProgram`; throws `unavailable`, with what the program says, when there is none or it fails. */
export async function runProgram(program: string, args: readonly string[], input = ''): Promise<string> {
  const ran = await tryProgram(program, args, input);
  if (ran === undefined) {
    throw new VeneerError('unavailable', `cannot make a network: there is no program '${program}'`, {
      hint: `install it (${PACKAGES[program] ?? program}), or choose --network host or none`,
    });
  }
  if (ran.code === 0) return ran.output;
  throw new VeneerError('unavailable', `cannot make a network: ${program}: ${lastWords(ran)}`);
}

const PACKAGES: Readonly<Record<string, string>> = { ip: 'iproute2', nsenter: 'util-linux', nft: 'nftables' };

/** iptables of nftables begins with a line that only says who it is, and ends in a colon. */
function lastWords({ code, complaint }: Ran): string {
  const lines = complaint.split('\n').map((line) => line.trim());
  const [first, second] = lines.filter((line) => line !== '' && !line.startsWith('Command failed'));
  if (first === undefined) return `it ended with code ${String(code)}`;
  return first.endsWith(':') && second !== undefined ? `${first} ${second}` : first;
}
