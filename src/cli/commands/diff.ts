import type { Command } from 'commander';
import { displayBytes, VeneerError } from '../../core/index.js';
import type { ByteString } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { withStore } from '../store.js';

/** docker's letters. */
const LETTERS = { added: 'A', modified: 'C', deleted: 'D' } as const;

/** Bytes gathered before a write: a listing may have a million lines. */
const CHUNK = 1 << 16;

function print(text: ByteString): void {
  process.stdout.write(Buffer.from(text, 'latin1'));
}

/** A line's bytes: names as they are for programs, made harmless for a terminal. */
function lineOf(letter: string, path: ByteString, json: boolean): ByteString {
  const absolute = path.startsWith('/') ? path : `/${path}`;
  if (json) {
    const text = Buffer.from(absolute, 'latin1').toString('utf8');
    return Buffer.from(`${JSON.stringify({ Kind: letter, Path: text })}\n`, 'utf8').toString('latin1');
  }
  const name = process.stdout.isTTY ? Buffer.from(displayBytes(absolute), 'utf8').toString('latin1') : absolute;
  return `${letter} ${name}\n`;
}

export function configure(command: Command): void {
  command
    .argument('<container>', 'its name or ID')
    .option('--format <format>', "'json': one object a line")
    .action(async (name: string, { format }: { format?: string }) => {
      if (format !== undefined && format !== 'json') {
        throw new VeneerError('usage', `diff: unknown format '${format}'`, { hint: "the one format is 'json'" });
      }
      const { diffContainer } = await import('../../container/index.js');
      await withStore(command, async (store) => {
        let pending = '';
        for await (const { kind, path } of diffContainer(store, name)) {
          pending += lineOf(LETTERS[kind], path, format === 'json');
          if (pending.length >= CHUNK) {
            print(pending);
            pending = '';
          }
        }
        print(pending);
      });
    });
  addExamples(command, [
    ['veneer diff work', 'A added, C changed, D deleted, against its image'],
    ['veneer diff work | grep ^D', 'only what was deleted'],
  ]);
}
