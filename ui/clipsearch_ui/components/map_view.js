// What part of the plane is seen: `x`, `y` of -1..1 in the middle, `scale` pixels for a length of 1.

const NEAREST = 4000; // times as large as all of it

class View {
  constructor() {
    [this.x, this.y, this.scale, this.width, this.height] = [0, 0, 0, 0, 0];
  }

  get all() { // the scale at which all is seen
    return Math.max(1, Math.min(this.width, this.height) / 2 - 24);
  }

  resize(width, height) {
    const zoom = this.scale ? this.scale / this.all : 1;
    [this.width, this.height] = [width, height];
    this.scale = zoom * this.all;
  }

  reset() {
    [this.x, this.y, this.scale] = [0, 0, this.all];
  }

  toPixels(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const scale = Math.min(Math.max(this.scale * factor, this.all / 2), this.all * NEAREST);
    const change = 1 / this.scale - 1 / scale;
    this.move((px - this.width / 2) * change, (py - this.height / 2) * change);
    this.scale = scale;
  }

  move(x, y) {
    this.x = Math.min(Math.max(this.x + x, -1), 1);
    this.y = Math.min(Math.max(this.y + y, -1), 1);
  }

  pan(px, py) {
    this.move(-px / this.scale, -py / this.scale);
  }

  window(margin) { // left, top, right, bottom
    const [w, h] = [this.width / this.scale * (0.5 + margin), this.height / this.scale * (0.5 + margin)];
    return [this.x - w, this.y - h, this.x + w, this.y + h];
  }
}

const covers = (outer, inner) =>
  outer[0] <= Math.max(inner[0], -1) && outer[1] <= Math.max(inner[1], -1) &&
  outer[2] >= Math.min(inner[2], 1) && outer[3] >= Math.min(inner[3], 1);
