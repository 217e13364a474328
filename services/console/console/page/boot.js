/** Begins the page, and again where the network broke off meanwhile. */

const AGAIN_MS = 1500;

import("./main.js").catch((error) => {
  console.warn("the page did not load; once more", error);
  setTimeout(() => location.reload(), AGAIN_MS);
});
