import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS, GROUPS } from '../../src/cli/names.js';
import type { CommandName } from '../../src/cli/names.js';
import { CLI, runCli } from '../helpers/run-cli.js';
import { tempDir } from '../helpers/tmp.js';

const forms = (COMMANDS as readonly CommandName[]).flatMap(({ name, groups = [], groupOnly }) => [
  ...(groupOnly === true ? [] : [[name]]),
  ...groups.flatMap(({ group, verbs }) => verbs.map((verb) => [group, verb])),
]);

describe('every command', () => {
  test.each(forms.map((words) => [words.join(' '), words]))('veneer %s --help has examples', (name, words) => {
    const { code, stdout, stderr } = runCli([...words, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: veneer /);
    expect(stdout).toContain(words[0] === 'overlay' ? 'veneer overlay' : `veneer ${name}`);
    expect(stdout).toMatch(/\nExamples:\n {2}\$ /);
  });

  test('help COMMAND is COMMAND --help', () => {
    for (const words of [['images'], ['image', 'ls'], ['overlay']]) {
      expect(runCli(['help', ...words]).stdout).toBe(runCli([...words, '--help']).stdout);
    }
  });
});

describe('the overview', () => {
  test.each([[[]], [['--help']], [['help']]])('%j names every command', (args) => {
    const { code, stdout } = runCli(args);
    expect(code).toBe(0);
    for (const [word] of forms) expect(stdout).toContain(`  ${word ?? ''} `);
  });

  test.each(Object.keys(GROUPS))('veneer %s lists its verbs', (group) => {
    const { code, stdout } = runCli([group]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: veneer ${group} COMMAND`);
  });
});

describe('wrong command lines are one line and exit code 2', () => {
  test.each([
    [['imags'], "veneer: unknown command 'imags'\n  hint: did you mean"],
    [['image', 'lss'], "veneer: unknown command 'lss'\n  hint: did you mean ls?"],
    [['images', '--fromat', 'json'], "veneer: unknown option '--fromat'\n  hint: did you mean --format?"],
    [['--nope'], "veneer: unknown option '--nope'"],
    [['tag', 'a'], "veneer: missing required argument 'target'"],
    [['tag', 'a', 'b', 'c'], "veneer: too many arguments for 'tag'"],
    [['create', '--name'], "veneer: option '--name <name>' argument missing"],
    [['--log-level', 'loud', 'version'], "veneer: unknown log level 'loud'"],
    [['version', '--log-level', 'loud'], "veneer: unknown log level 'loud'"],
    [['version', '--root', ''], 'veneer: --root is empty'],
    [['version', '--format', '{{.Nope}}'], "veneer: --format '{{.Nope}}': there is no field 'Nope'"],
    [['completion', 'tcsh'], "veneer: completion: unknown shell 'tcsh'"],
  ])('%j', (args, message) => {
    const { code, stdout, stderr } = runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.startsWith(message) ? message : stderr).toBe(message);
    expect(stderr).toMatch(/^veneer: [^\n]+\n {2}hint: [^\n]+\n$/);
  });
});

describe('versions', () => {
  test.each(['--version', '-v'])('%s', (flag) => {
    expect(runCli([flag])).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^veneer \d+\.\d+\.\d+\n$/) as unknown,
    });
  });

  test('overlay --version is what podman info runs', () => {
    expect(runCli(['overlay', '--version']).stdout).toBe(runCli(['--version']).stdout);
  });

  test('version --format json', () => {
    expect(JSON.parse(runCli(['version', '--format', 'json']).stdout)).toMatchObject({ Node: process.versions.node });
  });
});

test.each(['--version', '--help', 'completion bash', 'overlay --help'])(
  'a reader that goes away ends %s without a word',
  (args) => {
    const shell = `{ sleep 0.3; "$0" "$1" ${args}; echo "code $?" >&2; } | true`;
    const { stdout, stderr } = spawnSync('bash', ['-c', shell, process.execPath, CLI], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: 'code 0\n' });
  },
);

/** What bash offers for the last of these words. */
function completeIn(words: readonly string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const script = `eval "$("${process.execPath}" "${CLI}" completion bash)"
    COMP_WORDS=(veneer ${line}); COMP_CWORD=${words.length}; _veneer; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.trim().split('\n');
}

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('of %s is a script that the shell takes', (shell) => {
    const script = runCli(['completion', shell]).stdout;
    for (const word of ['images', 'commit', 'system', 'prune']) expect(script).toContain(word);
  });

  test('of bash asks for containers in the state that a command is for', () => {
    const script = runCli(['completion', 'bash']).stdout;
    const listed = (form: string): string | undefined => {
      const [, ofForm = ''] = script.split(`\n    '${form}'`);
      return /status=\w+/.exec(ofForm.split('esac ;;')[0] ?? '')?.[0];
    };
    expect([listed('stop'), listed('unpause'), listed('start')]).toEqual([
      'status=running',
      'status=paused',
      'status=created',
    ]);
  });

  for (const shell of ['bash', 'zsh', 'fish']) {
    const there = ['/usr/bin', '/bin', '/usr/local/bin'].some((dir) => existsSync(`${dir}/${shell}`));
    test.skipIf(!there)(`is taken by ${shell}, where it is installed`, () => {
      using dir = tempDir('completion');
      const file = path.join(dir.path, 'script');
      writeFileSync(file, runCli(['completion', shell]).stdout);
      const parsed = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      expect(parsed).toMatchObject({ status: 0, stderr: '' });
    });
  }

  test('of bash completes commands, verbs and options', () => {
    const complete = (...words: string[]): string[] => completeIn(words);
    expect(complete('imp')).toEqual(['import']);
    expect(complete('image', 'hi')).toEqual(['history']);
    expect(complete('commit', '--mess')).toEqual(['--message']);
    expect(complete('--root', '/x', 'system', 'pr')).toEqual(['prune']);
    expect(complete('system', 'ch')).toEqual(['check']);
    expect(complete('image', 'prune', '--f')).toEqual(['--force', '--filter']);
  });

  test('of bash completes what follows an option', () => {
    const complete = (...words: string[]): string[] => completeIn(words);
    expect(complete('inspect', '--type', '')).toEqual(['container', 'image', 'layer']);
    expect(complete('image', 'ls', '-f', 'da')).toEqual(['dangling=']);
    expect(complete('system', 'df', '--format', 'j')).toEqual(['json']);
    expect(complete('import', '-m', '')).toEqual(['']);
  });
});
