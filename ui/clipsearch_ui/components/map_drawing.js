// Drawing the map: dots, and thumbnails where there is room for them.

// Told apart by people who do not see all colours, on white and on black (Tol 2021, "bright", and its orange).
const GROUPS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee7733"];
// From dark to light (the middle of viridis), away from both white and black.
const SCALE = [[70, 99, 159], [33, 145, 140], [94, 201, 98], [200, 217, 54]];
const [OTHER, NONE, STEPS] = [254, 255, 250];

const CROWD = 300; // pictures in view above which all are dots
const MOST = 120; // thumbnails at once

function colour(number, groups, faint) {
  if (number === OTHER) return "#999999";
  if (number === NONE) return faint;
  if (groups) return GROUPS[number % GROUPS.length];
  const place = (Math.min(number, STEPS) / STEPS) * (SCALE.length - 1);
  const [from, to] = [SCALE[Math.floor(place)], SCALE[Math.ceil(place)]];
  return `rgb(${from.map((part, i) => Math.round(part + (to[i] - part) * (place % 1)))})`;
}

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

function drawDots(context, points, view, colours, radius, skip) {
  const byClass = new Map();
  for (const place of points.within(view.window(0.02))) {
    if (skip?.(points.x[place], points.y[place])) continue;
    const number = points.classes[place];
    if (!byClass.has(number)) byClass.set(number, []);
    byClass.get(number).push(place);
  }
  let drawn = 0;
  // Pictures without a value lie below the others.
  for (const number of [...byClass.keys()].sort((a, b) => b - a)) {
    context.fillStyle = colours(number);
    for (const place of byClass.get(number)) {
      const [x, y] = view.toPixels(points.x[place], points.y[place]);
      if (radius < 2.5) context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
      else {
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.fill();
      }
    }
    drawn += byClass.get(number).length;
  }
  return drawn;
}

function drawThumbnail(context, { x, y, size }, picture, edge) {
  const image = picture?.image;
  const ready = image?.complete && image.naturalWidth > 0;
  const [w, h] = ready ? [image.naturalWidth, image.naturalHeight] : [1, 1];
  const shrink = size / Math.max(w, h);
  const [left, top] = [x - (w * shrink) / 2, y - (h * shrink) / 2];
  context.fillStyle = edge;
  context.fillRect(left - 2, top - 2, w * shrink + 4, h * shrink + 4);
  if (ready) context.drawImage(image, left, top, w * shrink, h * shrink);
}
