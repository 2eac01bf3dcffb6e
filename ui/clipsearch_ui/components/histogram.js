// Bars over time, to choose a range of. Data: {bars: [{from, to, count, label}], after, before}, all days as in
// 2024-06-30; an empty after or before is no bound. Event: range, [from, to]; both empty where the choice is taken back.
// Drag over bars or click one; with the keyboard arrows move, Shift takes in what lies between, Enter chooses, Escape clears.

function made(bar, highest) {
  const label = `${bar.label}: ${bar.count.toLocaleString()} ${bar.count === 1 ? "picture" : "pictures"}`;
  const button = element("button", { type: "button", title: label, "aria-label": label });
  // By the square root: few are seen beside very many.
  button.style.setProperty("--share", bar.count ? `max(3px, ${100 * Math.sqrt(bar.count / highest)}%)` : "0");
  return button;
}

function drawn(parentElement, bars) {
  let chart = parentElement.querySelector(".histogram");
  if (!chart) {
    chart = element("div", { class: "histogram", role: "group", "aria-label": "Pictures over time" });
    parentElement.append(chart, element("div", { class: "histogram-about" }, element("span", {}), element("span", {})));
  }
  const said = JSON.stringify(bars);
  if (chart.dataset.said !== said) {
    const highest = Math.max(...bars.map((bar) => bar.count), 1);
    chart.replaceChildren(...bars.map((bar) => made(bar, highest)));
    chart.firstChild.tabIndex = 0;
    for (const other of [...chart.children].slice(1)) other.tabIndex = -1;
    chart.dataset.said = said;
    const [first, last] = parentElement.querySelector(".histogram-about").children;
    first.textContent = bars[0].label.split(" to ")[0];
    last.textContent = bars.at(-1).label.split(" to ").at(-1);
  }
  return chart;
}

export default function ({ parentElement, data, setTriggerValue }) {
  const { bars, after, before } = data;
  const chart = drawn(parentElement, bars);
  const buttons = [...chart.children];
  // The bar that a drag, or a choice with Shift, began at; the last one it has come to.
  let start = null;
  let end = null;
  let dragging = false;

  const mark = (chosen) => {
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(chosen(bars[place], place))));
    chart.classList.toggle("some", buttons.some((button) => button.getAttribute("aria-pressed") === "true"));
  };
  const asked = (bar) => Boolean(after || before) && (!after || bar.to >= after) && (!before || bar.from <= before);
  const between = (_, place) => place >= Math.min(start, end) && place <= Math.max(start, end);
  const choose = () => {
    const [low, high] = [Math.min(start, end), Math.max(start, end)];
    const range = [bars[low].from, bars[high].to];
    const again = range[0] === after && range[1] === before;
    start = null;
    setTriggerValue("range", again ? ["", ""] : range);
  };
  // Not by what is under the pointer: a drag may leave the chart.
  const placeAt = (x) => {
    const box = chart.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((x - box.left) / box.width) * bars.length), 0), bars.length - 1);
  };

  mark(asked);
  chart.onpointerdown = (event) => {
    if (event.button !== 0) return;
    chart.setPointerCapture(event.pointerId);
    start = end = placeAt(event.clientX);
    dragging = true;
    mark(between);
  };
  chart.onpointermove = (event) => {
    if (!dragging) return;
    end = placeAt(event.clientX);
    mark(between);
  };
  chart.onpointerup = () => {
    if (!dragging) return;
    dragging = false;
    choose();
  };
  chart.onpointercancel = () => {
    dragging = false;
    start = null;
    mark(asked);
  };
  chart.onkeydown = (event) => {
    const here = buttons.indexOf(document.activeElement);
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -bars.length, End: bars.length }[event.key];
    if (step) {
      const next = Math.min(Math.max(here + step, 0), bars.length - 1);
      if (event.shiftKey) start ??= here;
      else start = null;
      end = next;
      buttons[here].tabIndex = -1;
      buttons[next].tabIndex = 0;
      buttons[next].focus();
      mark(start === null ? asked : between);
    } else if (event.key === "Enter" || event.key === " ") {
      start ??= here;
      end = here;
      choose();
    } else if (event.key === "Escape") {
      start = null;
      setTriggerValue("range", ["", ""]);
    } else {
      return;
    }
    event.preventDefault();
  };
}
