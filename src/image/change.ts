// `--change`: Dockerfile instructions applied to an image configuration, read as `docker commit` reads them.

import { constants } from 'node:os';
import { posix } from 'node:path';
import { VeneerError } from '../core/index.js';
import { parseAssignments, parseExecForm, splitInstructions, splitRawWords } from './change-syntax.js';
import type { ImageConfig, RuntimeConfig } from './config.js';
import { expandWord, expandWords } from './expand.js';
import type { Lookup } from './expand.js';
import { parseHealthcheck } from './healthcheck.js';

const DEFAULT_SHELL = ['/bin/sh', '-c'] as const;

type Handler = (config: RuntimeConfig, rest: string, lookup: Lookup) => RuntimeConfig;

function command(config: RuntimeConfig, rest: string): readonly string[] {
  return parseExecForm(rest) ?? [...(config.Shell ?? DEFAULT_SHELL), rest];
}

function setEnv(env: readonly string[], name: string, value: string): string[] {
  const entry = `${name}=${value}`;
  const index = env.findIndex((existing) => existing.startsWith(`${name}=`));
  return index < 0 ? [...env, entry] : env.with(index, entry);
}

function expose(ports: Record<string, object>, spec: string): void {
  const [, first = '', last = first, protocol = 'tcp'] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/(.*))?$/.exec(spec) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || from > to || to > 65535 || !/^(?:tcp|udp|sctp)$/i.test(protocol)) {
    throw new VeneerError('invalid', `EXPOSE '${spec}' is not a port`, { hint: 'write PORT, PORT/udp or FIRST-LAST' });
  }
  for (let port = from; port <= to; port += 1) ports[`${String(port)}/${protocol.toLowerCase()}`] = {};
}

/** SIGRTMIN to SIGRTMAX are numbers 34 to 64 for programs that link glibc or musl. */
function checkSignal(text: string): string {
  const name = text.toUpperCase().replace(/^(?!SIG)/, 'SIG');
  const realTime = /^SIGRTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/;
  const number = /^[0-9]{1,3}$/.test(text) ? Number(text) : undefined;
  const known =
    number === undefined ? Object.hasOwn(constants.signals, name) || realTime.test(name) : number >= 1 && number <= 64;
  if (!known) throw new VeneerError('invalid', `STOPSIGNAL '${text}' is not a signal`);
  return text;
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(config, rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(config, rest) }),
  SHELL: (config, rest) => {
    const shell = parseExecForm(rest);
    if (shell === undefined || shell.length === 0) {
      throw new VeneerError('invalid', 'SHELL needs the form ["program", "argument"]');
    }
    return { ...config, Shell: shell };
  },
  ENV: (config, rest, lookup) => {
    let env = config.Env ?? [];
    for (const [name, value] of parseAssignments('ENV', rest)) {
      env = setEnv(env, expandWord(name, lookup), expandWord(value, lookup));
    }
    return { ...config, Env: env };
  },
  LABEL: (config, rest, lookup) => {
    const labels = parseAssignments('LABEL', rest).map(
      ([name, value]) => [expandWord(name, lookup), expandWord(value, lookup)] as const,
    );
    return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
  },
  EXPOSE: (config, rest, lookup) => {
    const ports: Record<string, object> = { ...config.ExposedPorts };
    for (const spec of splitRawWords(rest).flatMap((word) => expandWords(word, lookup))) expose(ports, spec);
    return { ...config, ExposedPorts: ports };
  },
  VOLUME: (config, rest, lookup) => {
    const volumes = (parseExecForm(rest) ?? splitRawWords(rest)).map((word) => expandWord(word, lookup).trim());
    if (volumes.includes('')) throw new VeneerError('invalid', 'VOLUME specified can not be an empty string');
    return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(volumes.map((path) => [path, {}])) } };
  },
  USER: (config, rest, lookup) => ({ ...config, User: expandWord(rest, lookup) }),
  WORKDIR: (config, rest, lookup) => {
    const joined = posix.resolve('/', config.WorkingDir ?? '', expandWord(rest, lookup));
    return { ...config, WorkingDir: joined };
  },
  STOPSIGNAL: (config, rest, lookup) => ({ ...config, StopSignal: checkSignal(expandWord(rest, lookup)) }),
  ONBUILD: (config, rest) => {
    const trigger = /^\S+/.exec(rest)?.[0].toUpperCase() ?? '';
    if (trigger === 'ONBUILD' || trigger === 'FROM') {
      throw new VeneerError('invalid', `${trigger} is not allowed as an ONBUILD trigger`);
    }
    return { ...config, OnBuild: [...(config.OnBuild ?? []), rest] };
  },
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: parseHealthcheck(rest) }),
};

function environmentOf(config: RuntimeConfig): Lookup {
  const env = config.Env ?? [];
  return (name) => env.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/**
 * Applies `--change` texts in order: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL,
 * USER, VOLUME and WORKDIR. Variables come from the image's environment. An ENTRYPOINT without a CMD in the same
 * list clears the image's CMD, which was meant for the old one. Throws `invalid`, naming the instruction.
 */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  const instructions = changes.flatMap(splitInstructions);
  let runtime: RuntimeConfig = config.config ?? {};
  for (const { keyword, rest } of instructions) {
    const handler = Object.hasOwn(HANDLERS, keyword) ? HANDLERS[keyword] : undefined;
    if (handler === undefined) {
      throw new VeneerError('invalid', `'${keyword.slice(0, 40)}' is not a valid change command`, {
        hint: `use one of ${Object.keys(HANDLERS).sort().join(', ')}`,
      });
    }
    if (rest === '') throw new VeneerError('invalid', `${keyword} needs an argument`);
    runtime = handler(runtime, rest, environmentOf(runtime));
  }
  const keywords = new Set(instructions.map(({ keyword }) => keyword));
  if (keywords.has('ENTRYPOINT') && !keywords.has('CMD')) {
    const { Cmd: _cleared, ...others } = runtime;
    runtime = others;
  }
  return instructions.length === 0 ? config : { ...config, config: runtime };
}

/** Applies one `--change` text; see `applyChanges`. */
export function applyChange(config: ImageConfig, change: string): ImageConfig {
  return applyChanges(config, [change]);
}
