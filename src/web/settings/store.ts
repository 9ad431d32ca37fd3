import { defaultSettings, parseSettings, type Settings } from './settings.js';

const KEY = 'holdfast.settings';
const NARROW_PX = 600;

type Listener = (settings: Settings) => void;

const listeners = new Set<Listener>();
let current = load();

function load(): Settings {
  return parseSettings(localStorage.getItem(KEY), defaultSettings(innerWidth < NARROW_PX));
}

/** What holds now. */
export function settings(): Settings {
  return current;
}

/** Keeps `change` and applies it everywhere at once. */
export function changeSettings(change: Partial<Settings>): void {
  const text = JSON.stringify({ ...current, ...change });
  // Through the reader, so that what is applied is what comes back after a reload.
  current = parseSettings(text, current);
  localStorage.setItem(KEY, JSON.stringify(current));
  tell();
}

/** Forgets every choice. */
export function resetSettings(): void {
  localStorage.removeItem(KEY);
  current = load();
  tell();
}

/** Calls `listener` now and at every change. Returns how to stop. */
export function watchSettings(listener: Listener): () => void {
  listeners.add(listener);
  listener(current);
  return () => {
    listeners.delete(listener);
  };
}

function tell(): void {
  for (const listener of [...listeners]) listener(current);
}

// Another tab of the same browser changed them.
addEventListener('storage', ({ key }) => {
  if (key !== KEY && key !== null) return;
  current = load();
  tell();
});
