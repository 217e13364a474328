// Put into the page by tests: reads the clock that drawn cameras burn into their pictures.
globalThis.probe = (() => {
  const CELLS = 80;
  const table = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const crc = (bytes) => {
    let c = 0xffffffff;
    for (const one of bytes) c = table[(c ^ one) & 0xff] ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  };
  const number = (bits) => bits.reduce((sum, bit) => sum * 2 + bit, 0);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });

  /** Epoch seconds that the picture on the screen shows; null: not to be read for certain. */
  function burnt(video) {
    const width = video.videoWidth;
    if (!width) return null;
    canvas.width = width;
    canvas.height = 1;
    const y = Math.floor(width / 120);
    pen.drawImage(video, 0, y, width, 1, 0, 0, width, 1);
    const row = pen.getImageData(0, 0, width, 1).data;
    const bits = Array.from({ length: CELLS }, (_, i) => (row[4 * Math.floor(((i + 0.5) * width) / CELLS)] > 128 ? 1 : 0));
    const ms = number(bits.slice(2, 46));
    const bytes = Array.from({ length: 6 }, (_, i) => Math.floor(ms / 2 ** (8 * (5 - i))) % 256);
    return crc(bytes) === number(bits.slice(46, 78)) ? ms / 1000 : null;
  }

  const painted = (layer) => layer.getContext("2d").getImageData(0, 0, layer.width, layer.height).data.some(Boolean);
  const tiles = () => [...document.querySelectorAll("hc-tile")];
  let watched = [];

  return {
    burnt,
    playing: () => tiles().filter((tile) => tile.player?.shown_at).length,
    /** From now on keep the age of what each tile shows, at each frame at most five times a second. */
    watchAges() {
      watched = tiles().map((tile) => {
        const one = { ages: [], last: 0, stop: false };
        const video = tile.querySelector("video");
        const follow = () => {
          if (one.stop) return;
          const now = performance.now();
          if (now - one.last >= 200) {
            one.last = now;
            const shown = burnt(video);
            if (shown) one.ages.push(Date.now() / 1000 - shown);
          }
          video.requestVideoFrameCallback(follow);
        };
        video.requestVideoFrameCallback(follow);
        return one;
      });
    },
    takeAges() {
      for (const one of watched) one.stop = true;
      return watched.map(({ ages }) => ages);
    },
    overlayErrors(name, seconds) {
      const element = document.querySelector(name);
      const video = element.querySelector("video");
      const errors = [];
      const { player } = element;
      const look = ({ detail }) => {
        const shown = burnt(video);
        if (detail && shown) errors.push(detail - shown);
      };
      player.addEventListener("frame", look);
      return new Promise((done) => setTimeout(() => {
        player.removeEventListener("frame", look);
        done(errors);
      }, seconds * 1000));
    },
    /** Click to the live page, and see how long its first tile takes to show a picture, s. */
    firstPicture() {
      const began = performance.now();
      document.querySelector("nav a[href='./']").click();
      return new Promise((done) => {
        const look = () => {
          const video = document.querySelector("hc-tile video");
          if (!video) return void setTimeout(look, 10);
          video.requestVideoFrameCallback(() => done((performance.now() - began) / 1000));
        };
        look();
      });
    },
    /** What a person does who holds the picture, and lets go of it. */
    pause(held) {
      const [tile] = tiles();
      tile.player.held = held;
      const video = tile.querySelector("video");
      if (held) video.pause();
      else void video.play();
    },
    toldAndTrue() {
      const [tile] = tiles();
      const shown = burnt(tile.querySelector("video"));
      return [tile.age_s, shown && Date.now() / 1000 - shown];
    },
    /** When each new alert's row came, by its event, epoch seconds; and what the console answers meanwhile. */
    rows: new Map(),
    watchRows() {
      const look = () => {
        for (const card of document.querySelectorAll("a.card.alert")) {
          const id = new URL(card.href).searchParams.get("event");
          if (!this.rows.has(id)) this.rows.set(id, Date.now() / 1000);
        }
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributes: true });
      look();
    },
    rowAt(id) {
      return this.rows.get(id) ?? null;
    },
    newRows(known) {
      return [...this.rows].filter(([id]) => !known.includes(id));
    },
    /** Of each frame shown until `seconds` are over: its clock, the boxes over it (null: none known), and of every tenth whether any is painted. */
    drawnBoxes(seconds) {
      const [tile] = tiles();
      const video = tile.querySelector("video");
      const layer = tile.querySelector("canvas");
      const frames = [];
      const look = () => {
        const shown = burnt(video);
        if (!shown) return;
        const { seen } = tile.drawn;
        frames.push({ shown, seen, painted: frames.length % 10 ? null : painted(layer) });
      };
      tile.player.addEventListener("frame", look);
      return new Promise((done) => setTimeout(() => {
        tile.player.removeEventListener("frame", look);
        done({ frames, told: tile.ring.messages.map(({ ts }) => ts) });
      }, seconds * 1000));
    },
  };
})();
