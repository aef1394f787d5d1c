import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { configureStopping } from '../stopping.js';

export function configure(command: Command): void {
  configureStopping(command, async () => (await import('../../container/index.js')).stopContainer);
  addExamples(command, [
    ['veneer stop web', 'ask it to end, and kill it after 10 seconds'],
    ['veneer stop -t 0 web', 'at once'],
  ]);
}
