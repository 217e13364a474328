/**
 * Where in its element a picture really lies (`object-fit: contain`): boxes are scaled to the
 * picture, not to the letterbox around it.
 * @param {number} picture_w
 * @param {number} picture_h
 * @param {number} element_w
 * @param {number} element_h
 * @returns {{x: number, y: number, width: number, height: number}}
 */
export function contentBox(picture_w, picture_h, element_w, element_h) {
  if (!(picture_w > 0 && picture_h > 0)) return { x: 0, y: 0, width: element_w, height: element_h };
  const scale = Math.min(element_w / picture_w, element_h / picture_h);
  const width = picture_w * scale;
  const height = picture_h * scale;
  return { x: (element_w - width) / 2, y: (element_h - height) / 2, width, height };
}
