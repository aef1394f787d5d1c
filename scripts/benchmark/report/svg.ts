// The few elements of SVG that the chart is made of, as text.

/** Text for content and attributes. What XML 1.0 has no way to say, control characters for instance, becomes U+FFFD. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (it) => `&#${String(it.charCodeAt(0))};`);

type Attributes = Readonly<Record<string, string | number>>;

/** Numbers with at most one digit after the point. */
const attributesOf = (attributes: Attributes): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? String(+value.toFixed(1)) : escapeXml(value)}"`)
    .join('');

/** An element with text in it, or with elements that this function made. */
export function element(name: string, attributes: Attributes, content: string | readonly string[] = []): string {
  const inner = typeof content === 'string' ? escapeXml(content) : content.join('\n');
  return `<${name}${attributesOf(attributes)}${inner === '' ? '/>' : `>${inner}</${name}>`}`;
}
