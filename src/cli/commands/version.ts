import { release } from 'node:os';
import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { compileTemplate } from '../template.js';
import { version } from '../version.js';

export function configure(command: Command): void {
  command
    .option('--format <format>', "'json', or a template such as '{{.Version}}'")
    .action(({ format }: { format?: string }) => {
      const facts = {
        Version: version(),
        Node: process.versions.node,
        Kernel: release(),
        Platform: `${process.platform}/${process.arch}`,
      };
      if (format === 'json') writeLine(JSON.stringify(facts));
      else if (format !== undefined) writeLine(compileTemplate(format)(facts));
      else for (const [name, value] of Object.entries(facts)) writeLine(`${`${name}:`.padEnd(10)}${value}`);
    });
  addExamples(command, [
    ['veneer version', 'of veneer, Node, and the kernel'],
    ["veneer version --format '{{.Version}}'", 'for scripts'],
  ]);
}
