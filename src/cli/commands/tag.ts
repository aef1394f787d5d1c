import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<source>', 'an image: name or ID')
    .argument('<target>', 'its further name: REPOSITORY[:TAG]; taken from the image that has it')
    .action(async (source: string, target: string) => {
      await withStore(command, (store) => {
        store.images.tag(store.images.resolve(source).id, target);
      });
    });
  addExamples(command, [
    ['veneer tag base base:v1', 'a second name for base:latest'],
    ['veneer tag 4f53cda18c2b registry.example/app:1.2', 'a name for an ID'],
  ]);
}
