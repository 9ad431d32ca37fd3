/** A shell script as it stands in a template, where `$\{` is written for what would begin a value there. */
export function script(parts: TemplateStringsArray): string {
  return parts.raw.join('').replaceAll('$\\{', '${').trimStart();
}
