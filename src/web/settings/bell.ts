import type { BellKind } from './settings.js';

const PITCH_HZ = 660;
const SECONDS = 0.12;
const LOUDNESS = 0.06;

let audio: AudioContext | undefined;
let busyUntil = 0;

/** Rings. A storm of bells is one short sound; a browser that allows none is silent. */
export function ring(kind: BellKind): void {
  if (kind !== 'sound' && kind !== 'both') return;
  audio ??= new AudioContext();
  if (audio.currentTime < busyUntil || audio.state === 'suspended') {
    // Browsers start it only once the person has touched the page.
    void audio.resume().catch(() => undefined);
    return;
  }
  busyUntil = audio.currentTime + 2 * SECONDS;
  const tone = new OscillatorNode(audio, { frequency: PITCH_HZ });
  const volume = new GainNode(audio, { gain: LOUDNESS });
  volume.gain.linearRampToValueAtTime(0, audio.currentTime + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + SECONDS);
}

/** Whether a bell is shown. */
export function flashes(kind: BellKind): boolean {
  return kind === 'flash' || kind === 'both';
}
