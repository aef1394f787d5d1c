import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BACKENDS } from '../../../scripts/benchmark/backends.js';
import { UsageError, parseCommandLine } from '../../../scripts/benchmark/command-line.js';
import { WORKLOADS } from '../../../scripts/benchmark/workloads/index.js';

const HERE = import.meta.dirname;
const PROJECT = path.resolve(HERE, '../../..');

const namesOf = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);

describe('parseCommandLine', () => {
  test('without arguments runs everything, five rounds', () => {
    expect(parseCommandLine([])).toEqual({
      action: 'run',
      workloads: WORKLOADS,
      backends: BACKENDS,
      rounds: 5,
      quick: false,
      scratch: '',
      debianTar: undefined,
      format: 'table',
      jsonFile: undefined,
      plotFile: undefined,
    });
  });

  test('takes every option', () => {
    const [json, plot] = [path.join(HERE, 'a.json'), path.join(HERE, 'a.svg')];
    const files = ['--json', json, '--plot', plot, '--scratch', '/s', '--debian-tar', '/d.tar'];
    expect(parseCommandLine(['--needs', '--quick', '--rounds', '3', '--format=json', ...files])).toMatchObject({
      action: 'needs',
      rounds: 3,
      quick: true,
      scratch: '/s',
      debianTar: '/d.tar',
      format: 'json',
      jsonFile: json,
      plotFile: plot,
    });
    expect(parseCommandLine(['--list', '--needs']).action).toBe('list');
  });

  test('does one round where it is to be quick, unless told otherwise', () => {
    expect(parseCommandLine(['--quick']).rounds).toBe(1);
    expect(parseCommandLine(['--quick', '--rounds=2']).rounds).toBe(2);
  });

  test('takes workloads and groups, each once, in the order of the list', () => {
    const layers = namesOf(WORKLOADS.filter(({ group }) => group === 'layers'));
    expect(layers.length).toBeGreaterThan(0);
    const names = namesOf(parseCommandLine([...layers, 'layers', 'untar', 'untar']).workloads);
    expect(names).toEqual(['untar', ...layers]);
  });

  test('takes backends in the given order, each once', () => {
    const backends = (list: string): string[] => namesOf(parseCommandLine(['--backends', list]).backends);
    expect(backends('veneer,idle,kernel,veneer')).toEqual(['veneer', 'idle', 'kernel']);
    expect(backends(`veneer+volatile,veneer@${PROJECT}+a+b`)).toEqual(['veneer+volatile', `veneer@${PROJECT}+a+b`]);
  });
});

const BAD: readonly (readonly [what: string, args: readonly string[], message: string])[] = [
  ['an unknown workload', ['no-such'], "unknown workload 'no-such' (see --list)"],
  ['an unknown workload among known ones', ['untar', 'metadata', 'no-such'], "unknown workload 'no-such'"],
  ['a workload whose name has a line end', ['a\nb'], "unknown workload 'a b'"],
  ['an unknown backend', ['--backends', 'host,zfs'], "unknown backend 'zfs' (see --list)"],
  ['an empty backend', ['--backends', 'host,'], "unknown backend ''"],
  ['a backend without its checkout', ['--backends', 'veneer@'], "unknown backend 'veneer@'"],
  ['a checkout that is not there', ['--backends', 'veneer@/no/such'], '/no/such is not a checkout of veneer'],
  ['a directory that is no checkout', ['--backends', `veneer@${HERE}`], `${HERE} is not a checkout of veneer`],
  ['no rounds', ['--rounds', '0'], "--rounds: '0' is not a number from 1 up"],
  ['half a round', ['--rounds', '1.5'], "--rounds: '1.5'"],
  ['rounds that are no number', ['--rounds', 'many'], "--rounds: 'many'"],
  ['rounds that are empty', ['--rounds='], "--rounds: ''"],
  ['rounds without end', ['--rounds', 'Infinity'], "--rounds: 'Infinity'"],
  ['rounds below zero', ['--rounds=-1'], "--rounds: '-1'"],
  ['rounds that look like an option', ['--rounds', '-1'], '--rounds'],
  ['an option without its value', ['--rounds'], '--rounds'],
  ['a switch with a value', ['--quick=yes'], '--quick'],
  ['an unknown option', ['--fast'], '--fast'],
  ['an unknown format', ['--format', 'xml'], "--format: 'xml' is neither table nor json"],
  ['a report in no directory', ['--json', '/no/such/a.json'], "--json: '/no/such' is not a directory"],
  ['a report below a file', ['--plot', '/etc/passwd/a.svg'], "--plot: '/etc/passwd' is not a directory"],
  ['a report that is a directory', ['--plot', HERE], `--plot: '${HERE}' is not a file's name`],
  ['a report without a name', ['--json='], "--json: '' is not a file's name"],
];

describe('bad arguments', () => {
  test.each(BAD)('%s: one line that names it', (_what, args, message) => {
    const attempt = (): unknown => parseCommandLine(args);
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(/^[^\r\n]+$/);
  });
});

describe('the program', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Runs it here: it is a module that acts when it is loaded, and leaves the exit code in `process`. */
  async function run(args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const said = { stdout: '', stderr: '' };
    const { argv, exitCode } = process;
    for (const name of ['stdout', 'stderr'] as const)
      vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
        said[name] += String(chunk);
        return true;
      });
    try {
      process.argv = ['node', 'main.js', ...args];
      vi.resetModules();
      await import('../../../scripts/benchmark/main.js');
      return { code: process.exitCode, ...said };
    } finally {
      process.argv = argv;
      process.exitCode = exitCode;
      vi.restoreAllMocks();
    }
  }

  test.each(BAD)('says one line and ends with 2: %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^bench: [^\r\n]+\n$/);
    expect(stderr).toContain(message);
  });

  test('lists every workload and backend', async () => {
    const { code, stdout, stderr } = await run(['--list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { name, title } of [...WORKLOADS, ...BACKENDS])
      expect(stdout).toContain(`\n  ${name.padEnd(16)} ${title}\n`);
  });
});
