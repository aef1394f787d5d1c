import { describe, expect, test } from 'vitest';
import { commandText, isUp, stateWord, statusText } from '../../../src/cli/container-status.js';
import type { Container } from '../../../src/container/index.js';

type Shown = Pick<Container, 'run' | 'state'>;

const NOW = new Date('2024-05-01T12:00:00Z');
const before = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);
const REST = { oomKilled: false, restartCount: 0, fileSystem: 'live' } as const;
const health = (status: 'starting' | 'healthy' | 'unhealthy' | 'unknown'): object => ({
  health: { status, failingStreak: 0, log: [] },
});

const lost = (state: 'died' | 'halted'): object => ({ fileSystem: { state, reason: 'it is gone' } });

function shown(run: Partial<Container['run']>, state: Container['state'] = 'created'): Shown {
  return { run: { status: 'created', ...REST, ...run }, state };
}

const UP = { status: 'running', startedAt: before(185) } as const;
const DOWN = { status: 'exited', exitCode: 3, startedAt: before(9000), finishedAt: before(7300) } as const;

describe('the status of a container', () => {
  test.each<[Shown, string, string, boolean]>([
    [shown({}), 'Created', 'created', false],
    [shown({}, 'mounted'), 'Mounted', 'mounted', true],
    [shown(UP, 'mounted'), 'Up 3 minutes', 'running', true],
    [shown({ ...UP, ...health('starting') }), 'Up 3 minutes (health: starting)', 'running', true],
    [shown({ ...UP, ...health('healthy') }), 'Up 3 minutes (healthy)', 'running', true],
    [shown({ ...UP, ...health('unhealthy') }), 'Up 3 minutes (unhealthy)', 'running', true],
    [shown({ ...UP, ...health('unknown') }), 'Up 3 minutes (health: unknown)', 'running', true],
    [shown({ ...UP, ...lost('died') }), 'Up 3 minutes (file system died)', 'running', true],
    [shown({ ...UP, ...health('healthy'), ...lost('halted') }), 'Up 3 minutes (file system halted)', 'running', true],
    [shown({ ...UP, status: 'paused', ...health('healthy') }), 'Up 3 minutes (Paused)', 'paused', true],
    [shown(DOWN), 'Exited (3) 2 hours ago', 'exited', false],
    [shown({ ...DOWN, exitCode: 0 }), 'Exited (0) 2 hours ago', 'exited', false],
    // Everything of it was killed: nobody saw when.
    [shown({ status: 'exited', exitCode: 137 }), 'Exited (137)', 'exited', false],
    [shown(DOWN, 'mounted'), 'Exited (3) 2 hours ago (Mounted)', 'exited', true],
    [shown({ ...DOWN, status: 'restarting' }), 'Restarting (3) 2 hours ago', 'restarting', true],
    [shown({ status: 'dead' }), 'Dead', 'dead', false],
  ])('%j is %s', (container, text, word, up) => {
    expect({ text: statusText(container, NOW), word: stateWord(container), up: isUp(container) }).toEqual({
      text,
      word,
      up,
    });
  });
});

test('commands are quoted as docker quotes them', () => {
  expect(commandText(['sh', '-c', 'echo a b', "it's"])).toBe("sh -c 'echo a b' it's");
  expect(commandText([])).toBe('');
});
