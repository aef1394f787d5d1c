import type { Command } from 'commander';
import type { Finding, Repaired, Store } from '../../store/index.js';
import { addExamples } from '../examples.js';
import { EXIT_FAILURE } from '../failure.js';
import { FORMAT_HELP, printListing, writeLine } from '../output.js';
import type { ListingOptions, Row } from '../output.js';
import { withStore } from '../store.js';

interface Options extends ListingOptions {
  readonly deep?: true;
  readonly repair?: true;
}

const LISTING = {
  columns: [
    ['KIND', 'Kind'],
    ['OBJECT', 'Object'],
    ['WHAT IS WRONG', 'Message'],
  ],
  key: 'Object',
} as const;

const rowOf = ({ kind, object, message }: { kind: string; object: string; message: string }): Row => ({
  Kind: kind,
  Object: object,
  Message: message,
});

async function deep(store: Store, { quiet }: Options): Promise<Finding[]> {
  const { checkDeep } = await import('../check-deep.js');
  return checkDeep(store, { quiet: quiet === true });
}

function writeRepaired({ lost, removed, remaining }: Repaired, options: Options): void {
  if (lost.length > 0)
    printListing(
      lost.map(rowOf),
      {
        ...LISTING,
        columns: [
          ['LOST', 'Kind'],
          ['OBJECT', 'Object'],
          ['WHAT', 'Message'],
        ],
      },
      options,
    );
  for (const [kind, names] of Object.entries(removed) as [string, readonly string[]][]) {
    for (const name of names) if (options.format === undefined) writeLine(`Deleted ${kind.replace(/s$/, '')}: ${name}`);
  }
  if (remaining.length > 0) printListing(remaining.map(rowOf), LISTING, options);
}

export function configure(command: Command): void {
  command
    .option('--deep', 'read everything: the digest of each blob, and of the tar of each layer')
    .option('--repair', 'remove leftovers, finish what was begun, forget what is damaged, and say what was lost')
    .option('-q, --quiet', 'only the objects')
    .option('--format <format>', FORMAT_HELP)
    .addHelpText(
      'after',
      `
Exit code 0: the store is in order, or is again. 1: something was found, or could not be repaired.
--repair never removes containers, nor what they need, nor anything that is sound. An image of which a part is lost is forgotten.`,
    )
    .action(async (options: Options) => {
      await withStore(command, async (store) => {
        const findings = options.deep === true ? await deep(store, options) : store.check();
        const isSaid = options.quiet !== true && options.format === undefined;
        if (options.repair === true) {
          const repaired = store.repair(findings);
          writeRepaired(repaired, options);
          if (repaired.remaining.length > 0) process.exitCode = EXIT_FAILURE;
          else if (isSaid) process.stderr.write(`The store is in order${findings.length > 0 ? ' again' : ''}.\n`);
        } else if (findings.length > 0) {
          printListing(findings.map(rowOf), LISTING, options);
          process.exitCode = EXIT_FAILURE;
        } else if (isSaid) process.stderr.write('The store is in order.\n');
      });
    });
  addExamples(command, [
    ['veneer system check', 'exit code 0: in order, 1: something was found'],
    ['veneer system check --deep', 'read all content, and compare it with its digests'],
    ['veneer system check --repair', 'make it work again, and say what was lost'],
    ['veneer system check --format json', 'for programs: one JSON object a line'],
  ]);
}
