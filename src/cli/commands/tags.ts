import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { familiarName, isNameOnly } from '../../image/index.js';
import { parseCount } from '../arguments.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { printListing, toJson, writeLine, writeRendered } from '../output.js';
import type { Row } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { remoteReference } from '../remote-reference.js';
import { compileTemplate } from '../template.js';
import { cleanText } from '../text.js';

interface Options extends RegistryOptions {
  readonly limit?: string;
  readonly format?: string;
}

const LISTING = {
  columns: [
    ['NAME', 'Name'],
    ['TAG', 'Tag'],
  ],
  key: 'Tag',
} as const;

/** Prints a tag when it comes; a table, whose columns have a width, at the end. */
function printer(format: string | undefined): { print(row: Row): void; end(): void } {
  if (format !== undefined && /^table(\s|\\t|$)/.test(format)) {
    const rows: Row[] = [];
    return { print: (row) => void rows.push(row), end: () => printListing(rows, LISTING, { format }) };
  }
  const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
  const text = (row: Row): string => (format === 'json' ? toJson(row) : cleanText(row['Tag'] ?? ''));
  return {
    print: (row) => (render === undefined ? writeLine(text(row)) : writeRendered(`${render(row)}\n`)),
    end: () => undefined,
  };
}

/** A name without tag and digest: the tag of `debian:12` would be passed over without a word. */
function repositoryOf(text: string): { registry: string; repository: string } {
  const { registry, repository, tag, digest } = remoteReference(text);
  const name = familiarName({ registry, repository });
  if (isNameOnly(text)) return { registry, repository };
  const what = digest === undefined ? `the tag '${tag ?? ''}'` : 'a digest';
  throw new VeneerError('usage', `tags: '${text}' has ${what}: name a repository alone`, {
    hint: `veneer tags ${name}`,
  });
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] NAME')
    .argument('<name>', 'a repository: [REGISTRY/]NAME')
    .option('--limit <number>', 'no more than so many')
    .option('--format <format>', "'json' (an object a line), 'table', or a template such as '{{.Name}}:{{.Tag}}'");
  addRegistryOptions(command).action(async (text: string, { limit, format, ...registry }: Options) => {
    const name = repositoryOf(text);
    const most = limit === undefined ? Infinity : parseCount('--limit', limit);
    const fields = { Name: familiarName(name), Registry: name.registry, Repository: name.repository };
    const printed = printer(format);
    using board = new ProgressBoard();
    await interruptible((signal) =>
      withRegistry(
        registry,
        async (client) => {
          let count = 0;
          for await (const tag of client.repository(name).tags({ signal })) {
            printed.print({ ...fields, Tag: tag });
            count += 1;
            if (count >= most) break;
          }
        },
        { board },
      ),
    );
    printed.end();
  });
  addExamples(command, [
    ['veneer tags debian', 'all tags of docker.io/library/debian'],
    ['veneer tags --limit 20 registry.example.com/team/app', 'the first twenty, as the registry sorts them'],
    ["veneer tags --format '{{.Name}}:{{.Tag}}' debian", 'names to pull'],
  ]);
}
