// Drawing the map: dots, and thumbnails where there is room for them.

// Told apart by people who do not see all colours, on white and on black (Tol 2021, "bright", and its orange).
const GROUPS = [[68, 119, 170], [238, 102, 119], [34, 136, 51], [204, 187, 68], [102, 204, 238], [170, 51, 119], [238, 119, 51]];
// From dark to light (the middle of viridis), away from both white and black.
const SCALE = [[70, 99, 159], [33, 145, 140], [94, 201, 98], [200, 217, 54]];
const GREY = [153, 153, 153];
const [OTHER, NONE, STEPS] = [254, 255, 250];

const CROWD = 300; // pictures in view above which all are dots
const FRAME = 2; // pixels around a thumbnail
const MOST = 120; // thumbnails at once

// Red, green, blue and opacity of a class.
function colour(number, groups) {
  if (number >= OTHER) return [...GREY, number === NONE ? 0.4 : 1];
  if (groups) return [...GROUPS[number % GROUPS.length], 1];
  const place = (Math.min(number, STEPS) / STEPS) * (SCALE.length - 1);
  const [from, to] = [SCALE[Math.floor(place)], SCALE[Math.ceil(place)]];
  return [...from.map((part, i) => Math.round(part + (to[i] - part) * (place % 1))), 1];
}

const css = ([r, g, b, opacity]) => `rgb(${r} ${g} ${b} / ${opacity})`;

// Which of the pictures in view get a thumbnail: none covers another. Returns {place, x, y, size} for each.
function roomFor(points, places, view) {
  const size = view.width < 600 ? 56 : 72;
  const kept = [];
  for (const place of places) {
    const [x, y] = view.toPixels(points.x[place], points.y[place]);
    if (kept.every((other) => Math.abs(other.x - x) > size + 4 || Math.abs(other.y - y) > size + 4)) {
      kept.push({ place, x, y, size });
      if (kept.length === MOST) break;
    }
  }
  return kept;
}

const isLast = (number) => number >= OTHER; // those without a value lie below the others

// Many dots, as squares of pixels: far quicker than the canvas draws shapes.
function stamp(image, points, view, ratio, groups, radius, skip) {
  const pixels = new Uint32Array(image.data.buffer);
  const colours = Uint32Array.from({ length: 256 }, (_, number) => {
    const [r, g, b, opacity] = colour(number, groups);
    return new Uint32Array(Uint8ClampedArray.of(r, g, b, 255 * opacity).buffer)[0];
  });
  const side = Math.max(1, Math.round(2 * radius * ratio));
  const [scale, left, top] = [view.scale * ratio, view.width * ratio / 2 - side / 2, view.height * ratio / 2 - side / 2];
  for (const last of [true, false]) {
    for (let i = 0; i < points.count; i++) {
      if (isLast(points.classes[i]) !== last || skip?.(points.x[i], points.y[i])) continue;
      const x = Math.round((points.x[i] - view.x) * scale + left);
      const y = Math.round((points.y[i] - view.y) * scale + top);
      if (x < 0 || y < 0 || x + side > image.width || y + side > image.height) continue;
      const found = colours[points.classes[i]];
      for (let row = y * image.width + x; row < (y + side) * image.width + x; row += image.width) {
        for (let pixel = row; pixel < row + side; pixel++) pixels[pixel] = found;
      }
    }
  }
}

function drawDots(context, points, places, view, groups, radius) {
  const below = places.filter((place) => isLast(points.classes[place]));
  for (const place of [...below, ...places.filter((place) => !isLast(points.classes[place]))]) {
    context.fillStyle = css(colour(points.classes[place], groups));
    context.beginPath();
    context.arc(...view.toPixels(points.x[place], points.y[place]), radius, 0, 7);
    context.fill();
  }
}

function drawThumbnail(context, { x, y, size }, picture, edge) {
  const image = picture?.image;
  const ready = image?.complete && image.naturalWidth > 0;
  const [w, h] = ready ? [image.naturalWidth, image.naturalHeight] : [1, 1];
  const shrink = size / Math.max(w, h);
  const [left, top] = [x - (w * shrink) / 2, y - (h * shrink) / 2];
  context.fillStyle = edge;
  context.fillRect(left - FRAME, top - FRAME, w * shrink + 2 * FRAME, h * shrink + 2 * FRAME);
  if (ready) context.drawImage(image, left, top, w * shrink, h * shrink);
}
