import { Option } from 'commander';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { isArchiveName, readArchived, readOneArchived } from '../archived-images.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import type { Inspected } from '../inspection.js';
import { toJson, writeLine, writeRendered } from '../output.js';
import { withStore } from '../store.js';
import { compileTemplate } from '../template.js';

interface Options {
  readonly type?: Inspected;
  readonly format?: string;
  readonly size?: true;
  readonly oci?: 'config' | 'manifest';
}

async function printAll(command: Command, names: readonly string[], options: Options): Promise<void> {
  const { format, size } = options;
  const group = command.parent?.name();
  const type = options.type ?? (group === 'image' || group === 'container' ? group : undefined);
  const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
  const { inspect } = await import('../inspection.js');
  const { describeArchived } = await import('../inspect-image.js');
  await withStore(command, async (store) => {
    const found: object[] = [];
    await forEachName(command, names, async (name) => {
      const descriptions = isArchiveName(store, name)
        ? (await readArchived(store, name)).map(describeArchived)
        : [inspect(store, name, { type, size: size === true })];
      if (render === undefined) found.push(...descriptions);
      else for (const description of descriptions) writeRendered(`${render(description)}\n`);
    });
    if (render === undefined) writeLine(toJson(found, format === 'json' ? undefined : 4));
  });
}

/** The very bytes, so that their digest is the image's; on a terminal harmless, and with a line's end. */
async function printDocument(
  command: Command,
  names: readonly string[],
  document: 'config' | 'manifest',
): Promise<void> {
  const [name = ''] = names;
  if (names.length > 1) throw new VeneerError('usage', 'inspect: --oci takes one image');
  const { archivedDocument, documentOf } = await import('../inspection.js');
  await withStore(command, async (store) => {
    const bytes = isArchiveName(store, name)
      ? archivedDocument(await readOneArchived(store, name), document)
      : documentOf(store, store.images.resolve(name), document);
    if (process.stdout.isTTY) writeRendered(`${bytes.toString('utf8')}\n`);
    else process.stdout.write(bytes);
  });
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] NAME|ID...')
    .argument('<name...>', 'containers, images or layers: names or IDs, looked for in this order; or oci:DIR[:TAG]')
    .addOption(new Option('--type <type>', 'only this kind').choices(['container', 'image', 'layer']))
    .option('-f, --format <format>', "'json' (a list on one line), or a template such as '{{.Config.Cmd}}'")
    .option('-s, --size', "what a container's files take: SizeRw, and with the layers below SizeRootFs")
    .addOption(new Option('--oci <document>', "an image's OCI document, byte for byte").choices(['config', 'manifest']))
    .action(async (names: string[], options: Options) => {
      if (options.oci === undefined) await printAll(command, names, options);
      else await printDocument(command, names, options.oci);
    });
  addExamples(command, [
    ['veneer inspect work', 'a container: its layers, directories and command'],
    ["veneer inspect -f '{{json .RootFS.Layers}}' base:v2", "an image's diffIDs"],
    ["veneer inspect -f '{{range .Config.Env}}{{println .}}{{end}}' base", 'a line for each variable'],
    ['veneer image inspect base', 'an image, even if a container has that name'],
    ['veneer inspect --oci config base | sha256sum', "an image's configuration as it is; its digest is the ID"],
    ['veneer inspect oci:layout/:1.0', 'an image in an OCI layout; oci-archive:FILE, docker-archive:FILE'],
    ['veneer inspect --type layer 5f70bf18a086', 'a layer, by the start of its ChainID or DiffID'],
  ]);
}
