// The map as an element of the page: what it shows, and the picture that is chosen. What is done to it is in map.js.

const button = (does, name, sign) => element("button", { type: "button", "data-does": does, "aria-label": name, title: name }, sign);

class CollectionMap {
  constructor(parent) {
    this.canvas = element("canvas", { tabindex: "0", role: "application" });
    this.hint = element("div", { class: "hint", hidden: "" });
    this.card = element("div", { class: "card", role: "group", "aria-label": "The picture chosen", hidden: "" });
    this.legend = element("ul", { class: "legend", "aria-label": "Colours" });
    this.failed = element("p", { class: "failed", role: "alert", hidden: "" });
    const buttons = element("div", { class: "zoom" }, button("in", "Zoom in", "+"), button("out", "Zoom out", "−"), button("all", "Show all", "⤢"));
    this.root = element("div", { class: "collection-map" },
      element("div", { class: "plane" }, this.canvas, this.hint, this.card, buttons, this.failed), this.legend);
    parent.append(this.root);
    [this.view, this.pointers, this.thumbnails] = [new View(), new Map(), []];
    this.listen(buttons);
  }

  show(data) {
    const before = this.data;
    this.data = data;
    this.canvas.setAttribute("aria-label", `Map of ${data.count} pictures. Plus and minus zoom, arrows move, 0 shows all, Enter chooses the picture in the middle.`);
    if (before?.pictures !== data.pictures) this.pictures = new Pictures(data.pictures, () => this.draw());
    if (before?.points !== data.points || before?.colour !== data.colour) this.load();
    this.drawLegend();
    this.draw();
  }

  address(window) {
    return `${this.data.points}?colour=${encodeURIComponent(this.data.colour)}` + (window ? `&within=${window}` : "");
  }

  async load(window) { // the points of a window, or of all
    this.loading?.abort();
    const loading = (this.loading = new AbortController());
    try {
      const answer = await fetched(this.address(window), loading.signal);
      const points = new Points(await answer.arrayBuffer());
      if (loading !== this.loading) return;
      if (window) this.part = points;
      else [this.whole, this.part] = [points, null];
      this.failed.hidden = true;
      this.draw();
      if (!window) this.settle();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.failed.textContent = error.message;
      this.failed.hidden = false;
    }
  }

  settle() { // once the view rests, what is in it is loaded in full
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const near = this.view.scale > 8 * this.view.all; // numbers of 16 bits are too coarse from here on
      const coarse = this.part && this.view.scale * (this.part.window[2] - this.part.window[0]) > 16 * this.view.width;
      if (!this.whole || !(this.whole.thinned ? this.view.scale > 1.2 * this.view.all : near)) return;
      if (this.part && covers(this.part.window, this.view.window(0)) && !this.part.thinned && !coarse) return;
      const window = this.view.window(0.25).map((side) => Math.min(Math.max(side, -1.99), 1.99));
      if (String(window) !== String(this.part?.window)) this.load(window);
    }, 150);
  }

  change(act) {
    act();
    this.hint.hidden = true;
    this.draw();
    this.settle();
  }

  draw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => ((this.frame = 0), this.drawNow()));
  }

  // Points that have all of what is in view, or as much as is known of it.
  get finest() {
    return this.part && covers(this.part.window, this.view.window(0)) ? this.part : this.whole;
  }

  drawNow() {
    if (!this.whole || !this.view.width) return;
    const { canvas, view } = this;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(view.width * ratio) || canvas.height !== Math.round(view.height * ratio)) {
      [canvas.width, canvas.height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)];
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    const accent = getComputedStyle(this.root).getPropertyValue("--st-primary-color");
    const groups = this.data.legend.groups.length > 0;
    const points = this.finest;
    const places = points.within(view.window(0.01));
    const few = places.length <= 3000;
    if (few) drawDots(context, points, places, view, groups, 3.5);
    else this.stampAll(context, points, ratio, groups, places.length > 20000 ? 1 : 1.75);
    this.thumbnails = places.length <= CROWD && !points.thinned ? roomFor(points, places, view) : [];
    for (const thumbnail of this.thumbnails) {
      thumbnail.id = points.ids[thumbnail.place];
      const edge = thumbnail.id === this.chosen?.id ? accent : css(colour(points.classes[thumbnail.place], groups));
      drawThumbnail(context, thumbnail, this.pictures.get(thumbnail.id), edge);
    }
    this.drawChosen(context, accent);
    Object.assign(this.root.dataset, { drawn: places.length, thumbnails: this.thumbnails.length, scale: (view.scale / view.all).toFixed(2) });
  }

  stampAll(context, points, ratio, groups, radius) {
    const { width, height } = this.canvas;
    const image = context.createImageData(width, height);
    const { view, part } = this;
    let skip;
    if (points === this.whole && part) { // while the view moves beyond what is known in full
      const [left, top, right, bottom] = part.window;
      skip = (x, y) => x >= left && x <= right && y >= top && y <= bottom;
      stamp(image, part, view, ratio, groups, radius);
    }
    stamp(image, points, view, ratio, groups, radius, skip);
    context.putImageData(image, 0, 0);
  }

  drawChosen(context, accent) {
    if (!this.chosen || this.thumbnails.some(({ id }) => id === this.chosen.id)) return;
    const [x, y] = this.view.toPixels(this.chosen.x, this.chosen.y);
    [context.strokeStyle, context.lineWidth] = [accent, 3];
    context.beginPath();
    context.arc(x, y, 9, 0, 7);
    context.stroke();
  }

  // The picture at a place of the canvas: {id, x, y}.
  at(px, py, reach = 14) {
    const points = this.finest;
    if (!points) return null;
    const over = this.thumbnails.find(({ x, y, size }) => Math.max(Math.abs(x - px), Math.abs(y - py)) <= size / 2 + FRAME);
    const { view } = this;
    const place = over?.place ?? points.nearest(view.x + (px - view.width / 2) / view.scale, view.y + (py - view.height / 2) / view.scale, reach / view.scale);
    return place < 0 ? null : { id: points.ids[place], x: points.x[place], y: points.y[place] };
  }

  hover(px, py) {
    const found = this.at(px, py);
    this.canvas.style.cursor = found ? "pointer" : "grab";
    this.hovered = found?.id;
    if (found) this.drawHint(found.id, px, py);
    else this.hint.hidden = true;
  }

  drawHint(id, px, py) {
    const picture = this.pictures.get(id);
    if (!picture) { // it comes in a moment
      setTimeout(() => this.hovered === id && !this.pictures.wanted.has(id) && this.pictures.known.has(id) && this.drawHint(id, px, py), 250);
      this.hint.hidden = true;
      return;
    }
    if (this.hint.dataset.id !== String(id)) {
      this.hint.dataset.id = id;
      this.hint.replaceChildren(element("img", { src: picture.thumbnail, alt: "" }), element("span", {}, picture.name));
    }
    this.hint.hidden = false;
    const [w, h] = [this.hint.offsetWidth, this.hint.offsetHeight];
    this.hint.style.left = `${Math.max(4, Math.min(px + 14, this.view.width - w - 4))}px`;
    this.hint.style.top = `${py + 14 + h > this.view.height ? Math.max(4, py - h - 10) : py + 14}px`;
  }

  async choose(found) {
    this.chosen = found;
    this.hint.hidden = true;
    this.card.hidden = true;
    this.draw();
    if (!found) return;
    for (let tries = 0; !this.pictures.get(found.id) && tries < 50; tries++) await new Promise((done) => setTimeout(done, 60));
    const picture = this.pictures.get(found.id);
    if (!picture || this.chosen !== found) return;
    const link = (asked, name) => element("a", { href: `${this.data.link}${asked}=${found.id}` }, name);
    const close = button("close", "Close", "×");
    this.card.replaceChildren(element("img", { src: picture.thumbnail, alt: picture.label }), element("p", { title: picture.label }, picture.name),
      link("picture", "Open"), link("like", "Search from here"), close);
    this.card.hidden = false;
    if (document.activeElement === this.canvas) this.card.querySelector("a").focus({ preventScroll: true });
  }

  drawLegend() {
    const { groups, low, high, other, none } = this.data.legend;
    const entry = (number, name) => {
      const dot = element("i", {});
      dot.style.background = css(colour(number, groups.length > 0));
      return element("li", { title: name }, dot, name);
    };
    const entries = this.data.colour === "nothing" ? [] : groups.map((name, number) => entry(number, name || "(empty)"));
    if (!groups.length && low) {
      const bar = element("i", { class: "scale" });
      bar.style.background = `linear-gradient(to right, ${SCALE.map((rgb) => `rgb(${rgb})`)})`;
      entries.push(element("li", {}, low, bar, high));
    }
    if (other) entries.push(entry(OTHER, "others"));
    if (none) entries.push(entry(NONE, "without"));
    this.legend.replaceChildren(...entries);
  }
}
