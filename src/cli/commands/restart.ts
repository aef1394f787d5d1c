import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { configureStopping } from '../stopping.js';

export function configure(command: Command): void {
  configureStopping(command, async () => (await import('../../container/index.js')).restartContainer);
  addExamples(command, [['veneer restart web', 'stop it and start it again']]);
}
