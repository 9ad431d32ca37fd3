/**
 * Keeps the page as high as what can be seen of it. Where the keyboard of a phone lies over the page
 * instead of shrinking it (Safari), the last line and the extra keys would be under it. For as long as the
 * document lives.
 */
export function followVisibleHeight(): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  const show = (): void => {
    // A person who has zoomed in looks at a part; the page stays as it is.
    const isCovered = viewport.scale === 1 && viewport.height < innerHeight - 1;
    const { style } = document.documentElement;
    if (isCovered) style.setProperty('--visible-height', `${String(viewport.height)}px`);
    else style.removeProperty('--visible-height');
    // Safari scrolls the page to where it takes the caret to be.
    if (isCovered) scrollTo(0, 0);
  };
  viewport.addEventListener('resize', show);
  viewport.addEventListener('scroll', show);
  show();
}
