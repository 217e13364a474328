/** A short tone for a new alert; browsers allow it once the reader has clicked. */

/** @type {AudioContext | null} */
let context = null;

/** @param {string} severity */
export function beep(severity) {
  context ??= new AudioContext();
  void context.resume();
  const grave = severity === "high" || severity === "critical";
  for (const [at, pitch] of grave ? [[0, 880], [0.18, 660], [0.36, 880]] : [[0, 660]]) {
    tone(context, context.currentTime + at, pitch);
  }
}

/** @param {AudioContext} sound @param {number} start @param {number} pitch_hz */
function tone(sound, start, pitch_hz) {
  const source = sound.createOscillator();
  const gain = sound.createGain();
  source.frequency.value = pitch_hz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(0.16, start + 0.02);
  gain.gain.linearRampToValueAtTime(0, start + 0.15);
  source.connect(gain).connect(sound.destination);
  source.start(start);
  source.stop(start + 0.16);
}
