import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { addExamples } from '../examples.js';
import { writeLine } from '../output.js';
import { withStore } from '../store.js';

export function configure(command: Command): void {
  command
    .argument('<container>', 'name or ID')
    .argument('[port]', 'of the container, PORT[/udp]: where it is published; without, all are listed')
    .action(async (name: string, wanted: string | undefined) => {
      const [{ inspectContainer }, { hostEnd, parseExpose, portLines }] = await Promise.all([
        import('../../container/index.js'),
        import('../../network/index.js'),
      ]);
      await withStore(command, (store) => {
        const container = inspectContainer(store, name);
        const ports = container.run.network?.ports ?? [];
        if (wanted === undefined) portLines(ports).forEach(writeLine);
        else {
          const asked = parseExpose(wanted);
          const found = ports.filter(({ protocol, containerPort }) =>
            asked.some((one) => one.protocol === protocol && one.port === containerPort),
          );
          if (found.length === 0) throw unpublished(container.name, wanted);
          found.map(hostEnd).forEach(writeLine);
        }
      });
    });
  addExamples(command, [
    ['veneer port web', 'all ports of web that the host passes on'],
    ['veneer port web 80', 'where its port 80 is reached: 0.0.0.0:8080'],
  ]);
}

function unpublished(name: string, port: string): VeneerError {
  return new VeneerError('not-found', `container ${name} has no published port ${port}`, {
    hint: `'veneer port ${name}' lists them; a container that does not run has none`,
  });
}
