const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

/** `3.2 s`, `1 min 05 s`. */
export function duration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/**
 * Runs one step and shows it on one line of standard error: a spinner on a terminal, else the label
 * at the start and the time it took at the end. Standard output stays free for what is asked for.
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const started = performance.now();
  const out = process.stderr;
  let spinner;
  if (out.isTTY) {
    let frame = 0;
    const draw = () => {
      const since = duration(performance.now() - started);
      out.write(`\r\x1b[2K${FRAMES[frame++ % FRAMES.length]} ${label}  ${since}`);
    };
    draw();
    spinner = setInterval(draw, FRAME_MS);
  } else {
    out.write(`- ${label} ... `);
  }
  const finish = (mark, word) => {
    clearInterval(spinner);
    const took = duration(performance.now() - started);
    out.write(out.isTTY ? `\r\x1b[2K${mark} ${label}  ${took}\n` : `${word} ${took}\n`);
  };
  try {
    const result = await work();
    finish('✔', 'done in');
    return result;
  } catch (error) {
    finish('✖', 'failed after');
    throw error;
  }
}
