// The points of the map as the server sends them (clipsearch_ui/map/routes.py): all of it thinned out, and the part
// that is looked at.

const FINEST = 65535;

class Points {
  constructor(buffer) {
    const [left, top, right, bottom, count, total] = new Float64Array(buffer, 0, 6);
    [this.window, this.count, this.total] = [[left, top, right, bottom], count, total];
    this.ids = new Float64Array(buffer, 48, count);
    const steps = new Uint16Array(buffer, 48 + 8 * count, 2 * count);
    this.x = Float64Array.from(steps.subarray(0, count), (step) => left + (step / FINEST) * (right - left));
    this.y = Float64Array.from(steps.subarray(count), (step) => top + (step / FINEST) * (bottom - top));
    this.classes = new Uint8Array(buffer, 48 + 12 * count, count);
  }

  get thinned() {
    return this.count < this.total;
  }

  // Places of the points within a window, best known first.
  within([left, top, right, bottom]) {
    const found = [];
    for (let i = 0; i < this.count; i++) {
      if (this.x[i] >= left && this.x[i] <= right && this.y[i] >= top && this.y[i] <= bottom) found.push(i);
    }
    return found;
  }

  nearest(x, y, reach) {
    let [best, least] = [-1, reach * reach];
    for (let i = 0; i < this.count; i++) {
      const apart = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (apart < least) [best, least] = [i, apart];
    }
    return best;
  }
}

async function fetched(address, signal) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer;
}

// What pictures are called and where their thumbnails are, asked for many at a time.
class Pictures {
  constructor(address, changed) {
    [this.address, this.changed, this.known, this.wanted] = [address, changed, new Map(), new Set()];
  }

  get(id) {
    const found = this.known.get(id);
    if (found) {
      this.known.delete(id); // the last looked at is the last to go
      this.known.set(id, found);
    } else {
      if (!this.wanted.size) setTimeout(() => this.ask(), 80);
      this.wanted.add(id);
    }
    return found;
  }

  async ask() {
    const ids = [...this.wanted].slice(0, 150);
    this.wanted.clear();
    const answer = await fetched(`${this.address}?ids=${ids}`).catch(() => null);
    for (const tile of answer ? await answer.json() : []) {
      const image = new Image();
      image.onload = () => this.changed();
      image.src = tile.thumbnail;
      this.known.set(tile.id, { ...tile, image });
    }
    for (const id of [...this.known.keys()].slice(0, Math.max(0, this.known.size - 600))) this.known.delete(id);
    this.changed();
  }
}
