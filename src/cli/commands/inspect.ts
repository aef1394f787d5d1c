import { Option } from 'commander';
import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { parsePlatform } from '../../image/index.js';
import type { RemoteImage } from '../../transfer/index.js';
import { isArchiveName, readArchived, readOneArchived } from '../archived-images.js';
import { forEachName } from '../each.js';
import { addExamples } from '../examples.js';
import type { Inspected, OciDocument } from '../inspection.js';
import { interruptible } from '../interruption.js';
import { toJson, writeDocument, writeLine, writeRendered } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { remoteReference } from '../remote-reference.js';
import { withStore } from '../store.js';
import { compileTemplate } from '../template.js';

interface Options extends RegistryOptions {
  readonly type?: Inspected;
  readonly format?: string;
  readonly size?: true;
  readonly oci?: OciDocument;
  readonly remote?: true;
  readonly platform?: string;
}

/** Prints what `describe` finds for each name: a list in JSON, or what the template makes of each. */
async function printEach(
  command: Command,
  names: readonly string[],
  { format, describe }: { format: string | undefined; describe: (name: string) => Promise<object[]> },
): Promise<void> {
  const render = format === undefined || format === 'json' ? undefined : compileTemplate(format);
  const found: object[] = [];
  await forEachName(command, names, async (name) => {
    const descriptions = await describe(name);
    if (render === undefined) found.push(...descriptions);
    else for (const description of descriptions) writeRendered(`${render(description)}\n`);
  });
  if (render === undefined) writeLine(toJson(found, format === 'json' ? undefined : 4));
}

async function printAll(command: Command, names: readonly string[], options: Options): Promise<void> {
  const { format, size } = options;
  const group = command.parent?.name();
  const type = options.type ?? (group === 'image' || group === 'container' ? group : undefined);
  const { inspect } = await import('../inspection.js');
  const { describeArchived } = await import('../inspect-image.js');
  await withStore(command, async (store) => {
    const describe = async (name: string): Promise<object[]> =>
      isArchiveName(store, name)
        ? (await readArchived(store, name)).map(describeArchived)
        : [inspect(store, name, { type, size: size === true })];
    await printEach(command, names, { format, describe });
  });
}

/** What a registry has, from its manifest and its configuration alone. */
async function printRemote(command: Command, names: readonly string[], options: Options): Promise<void> {
  const { type, format, size, oci, platform } = options;
  if (size === true || (type ?? 'image') !== 'image') {
    throw new VeneerError('usage', `inspect: ${size === true ? '--size' : `--type ${type ?? ''}`} is not for --remote`);
  }
  const wanted = platform === undefined ? undefined : parsePlatform(platform);
  const { describeRemote } = await import('../inspect-image.js');
  const { readRemoteImage } = await import('../../transfer/index.js');
  using board = new ProgressBoard();
  await interruptible((signal) =>
    withRegistry(
      options,
      async (client) => {
        const read = (name: string): Promise<RemoteImage> =>
          readRemoteImage(client, remoteReference(name), { platform: wanted, signal });
        if (oci === undefined) {
          const describe = async (name: string): Promise<object[]> => [describeRemote(await read(name))];
          await printEach(command, names, { format, describe });
          return;
        }
        const { configBytes, manifest } = await read(names[0] ?? '');
        writeDocument(oci === 'config' ? configBytes : manifest.bytes);
      },
      { board },
    ),
  );
}

/** The very bytes, so that their digest is the image's; on a terminal harmless, and with a line's end. */
async function printDocument(command: Command, name: string, document: OciDocument): Promise<void> {
  const { archivedDocument, documentOf } = await import('../inspection.js');
  await withStore(command, async (store) => {
    const bytes = isArchiveName(store, name)
      ? archivedDocument(await readOneArchived(store, name), document)
      : documentOf(store, store.images.resolve(name), document);
    writeDocument(bytes);
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
    .option('-r, --remote', 'images in their registries; none is pulled, and Size is that of the compressed layers')
    .option('--platform <platform>', 'with --remote, of an image for several: OS/ARCH[/VARIANT]');
  addRegistryOptions(command).action(async (names: string[], options: Options) => {
    const { oci, remote, platform } = options;
    if (oci !== undefined && names.length > 1) throw new VeneerError('usage', 'inspect: --oci takes one image');
    if (remote !== true && platform !== undefined) {
      throw new VeneerError('usage', 'inspect: --platform chooses in a registry, which takes --remote');
    }
    if (remote === true) await printRemote(command, names, options);
    else if (oci === undefined) await printAll(command, names, options);
    else await printDocument(command, names[0] ?? '', oci);
  });
  addExamples(command, [
    ['veneer inspect work', 'a container: its layers, directories and command'],
    ["veneer inspect -f '{{json .RootFS.Layers}}' base:v2", "an image's diffIDs"],
    ["veneer inspect -f '{{range .Config.Env}}{{println .}}{{end}}' base", 'a line for each variable'],
    ['veneer image inspect base', 'an image, even if a container has that name'],
    ['veneer inspect --oci config base | sha256sum', "an image's configuration as it is; its digest is the ID"],
    ['veneer inspect oci:layout/:1.0', 'an image in an OCI layout; oci-archive:FILE, docker-archive:FILE'],
    ['veneer inspect --remote debian:12', 'what the registry has, without pulling it'],
    ['veneer inspect --type layer 5f70bf18a086', 'a layer, by the start of its ChainID or DiffID'],
  ]);
}
