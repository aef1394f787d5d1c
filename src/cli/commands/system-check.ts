import type { Command } from 'commander';
import { addExamples } from '../examples.js';
import { EXIT_FAILURE } from '../failure.js';
import { FORMAT_HELP, printListing } from '../output.js';
import { withStore } from '../store.js';

const LISTING = {
  columns: [
    ['KIND', 'Kind'],
    ['OBJECT', 'Object'],
    ['WHAT IS WRONG', 'Message'],
  ],
  key: 'Object',
} as const;

export function configure(command: Command): void {
  command
    .option('-q, --quiet', 'only the objects')
    .option('--format <format>', FORMAT_HELP)
    .action(async (options: { format?: string; quiet?: true }) => {
      const findings = await withStore(command, (store) => store.check());
      const rows = findings.map(({ kind, object, message }) => ({ Kind: kind, Object: object, Message: message }));
      if (rows.length > 0) {
        printListing(rows, LISTING, options);
        process.exitCode = EXIT_FAILURE;
      } else if (options.quiet !== true && options.format === undefined)
        process.stderr.write('The store is in order.\n');
    });
  addExamples(command, [
    ['veneer system check', 'exit code 0: in order, 1: something was found'],
    ['veneer system check --format json', 'for programs: one JSON object a line'],
  ]);
}
