// The HEALTHCHECK instruction: moby/buildkit, frontend/dockerfile/instructions/parse.go parseHealthcheck.

import { VeneerError } from '../core/index.js';
import { parseDuration, parseExecForm } from './change-syntax.js';
import type { Healthcheck } from './config.js';

const DURATIONS = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

const MILLISECOND = 1e6;

function readFlag(flag: string): Healthcheck {
  const [, name = '', value = ''] = /^--([^=]*)=?([^]*)$/.exec(flag) ?? [];
  if (name === 'retries') {
    if (!/^[0-9]{1,9}$/.test(value)) throw new VeneerError('invalid', `HEALTHCHECK --retries=${value} is not a count`);
    return { Retries: Number(value) };
  }
  if (!Object.hasOwn(DURATIONS, name)) throw new VeneerError('invalid', `HEALTHCHECK has no option --${name}`);
  const duration = parseDuration(value);
  if (duration !== 0 && duration < MILLISECOND) {
    throw new VeneerError('invalid', `HEALTHCHECK --${name}=${value} is shorter than a millisecond`);
  }
  return { [DURATIONS[name as keyof typeof DURATIONS]]: duration };
}

/** Parses what follows HEALTHCHECK. Throws `invalid`. */
export function parseHealthcheck(rest: string): Healthcheck {
  let text = rest;
  let flags: Healthcheck = {};
  for (let flag = /^--\S*/.exec(text)?.[0]; flag !== undefined; flag = /^--\S*/.exec(text)?.[0]) {
    flags = { ...flags, ...readFlag(flag) };
    text = text.slice(flag.length).trimStart();
  }
  const [, type = '', command = ''] = /^(\S*)\s*([^]*)$/.exec(text) ?? [];
  if (type.toUpperCase() === 'NONE') {
    if (command !== '' || text !== rest) throw new VeneerError('invalid', 'HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (type.toUpperCase() !== 'CMD' || command === '') {
    throw new VeneerError('invalid', `HEALTHCHECK '${type}' is neither NONE nor CMD with a command`);
  }
  const exec = parseExecForm(command);
  return { ...flags, Test: exec === undefined ? ['CMD-SHELL', command] : ['CMD', ...exec] };
}
