// The map of the collection. Data: {points, pictures: where the server has them, colour, legend: {groups, low, high,
// other, none}, count, link: the address of a search without what is asked}.

const KEYS = {
  "+": (map) => map.view.zoom(1.5), "=": (map) => map.view.zoom(1.5), "-": (map) => map.view.zoom(1 / 1.5), 0: (map) => map.view.reset(),
  ArrowLeft: (map) => map.view.pan(80, 0), ArrowRight: (map) => map.view.pan(-80, 0),
  ArrowUp: (map) => map.view.pan(0, 80), ArrowDown: (map) => map.view.pan(0, -80),
};

CollectionMap.prototype.listen = function (buttons) {
  const { canvas, view, pointers } = this;
  new ResizeObserver(() => {
    view.resize(canvas.clientWidth, canvas.clientHeight);
    this.draw();
  }).observe(canvas);
  const place = (event) => [event.offsetX, event.offsetY];
  let [moved, apart] = [0, 0];
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return [Math.hypot(a[0] - b[0], a[1] - b[1]), (a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 1) moved = 0;
    if (pointers.size === 2) [[apart], moved] = [spread(), 99];
  };
  canvas.onpointermove = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return void (event.pointerType === "mouse" && this.hover(...place(event)));
    const now = place(event);
    pointers.set(event.pointerId, now);
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (moved < 4) return;
    const share = 1 / pointers.size;
    this.change(() => {
      view.pan((now[0] - before[0]) * share, (now[1] - before[1]) * share);
      if (pointers.size !== 2) return;
      const [wide, x, y] = spread();
      view.zoom(wide / Math.max(apart, 1), x, y);
      apart = wide;
    });
  };
  canvas.onpointerup = (event) => {
    if (pointers.delete(event.pointerId) && moved < 4) this.choose(this.at(...place(event), event.pointerType === "mouse" ? 14 : 24));
  };
  canvas.onpointercancel = (event) => pointers.delete(event.pointerId);
  canvas.onpointerleave = () => {
    this.hovered = null;
    this.hint.hidden = true;
  };
  canvas.ondblclick = (event) => this.change(() => view.zoom(2, ...place(event)));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode ? 20 : 1;
    this.change(() => view.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002)), ...place(event)));
  }, { passive: false });
  this.root.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !this.card.hidden) this.choose(null).then(() => canvas.focus());
    else if (event.target !== canvas) return;
    else if (event.key === "Enter") this.choose(this.at(view.width / 2, view.height / 2, Infinity));
    else if (KEYS[event.key]) this.change(() => KEYS[event.key](this));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  buttons.onclick = (event) => {
    const act = { in: "+", out: "-", all: 0 }[event.target.closest("button")?.dataset.does];
    if (act !== undefined) this.change(() => KEYS[act](this));
  };
  this.card.onclick = (event) => {
    const clicked = event.target.closest("a, button");
    if (!clicked || !isPlain(event)) return;
    event.preventDefault();
    if (clicked.tagName === "A") follow(clicked);
    else this.choose(null);
  };
};

export default function ({ parentElement, data }) {
  const map = (parentElement.collectionMap ??= new CollectionMap(parentElement));
  map.show(data);
}
