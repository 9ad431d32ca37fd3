/**
 * xterm.js writes its rules into `<style>` elements and, without WebGL, colours into `style` attributes.
 * Both are what a Content-Security-Policy without 'unsafe-inline' forbids; constructed style sheets and
 * style properties set by script are allowed. So those two calls are led there, and the policy stays
 * `style-src 'self'`. Called once, before the first terminal.
 */
export function installStrictStyles(): void {
  // Through Reflect, since these are the methods themselves and not calls of them.
  const createElement: CreateElement = Reflect.get(Document.prototype, 'createElement');
  const setAttribute: SetAttribute = Reflect.get(Element.prototype, 'setAttribute');
  const create: CreateElement = function (tag, options) {
    if (tag.toLowerCase() !== 'style') return createElement.call(this, tag, options);
    // Even an empty style element offends the policy, so something that is never shown stands in.
    const element = createElement.call(this, 'template');
    constructSheet(element);
    return element;
  };
  const set: SetAttribute = function (name, value) {
    if (name === 'style' && this instanceof HTMLElement) this.style.cssText = value;
    else setAttribute.call(this, name, value);
  };
  Reflect.set(Document.prototype, 'createElement', create);
  Reflect.set(Element.prototype, 'setAttribute', set);
}

type CreateElement = (this: Document, tag: string, options?: ElementCreationOptions) => HTMLElement;
type SetAttribute = (this: Element, name: string, value: string) => void;

/** Rules given to `element` as text go to a sheet of the document, which leaves with the element. */
function constructSheet(element: HTMLElement): void {
  const sheet = new CSSStyleSheet();
  let text = '';
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (rules: string) => {
      text = rules;
      sheet.replaceSync(rules);
    },
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    HTMLElement.prototype.remove.call(element);
  };
}
